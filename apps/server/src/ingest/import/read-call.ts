import { type ModelCall } from "@usage-stats/core";
import { parseModelCall } from "@usage-stats/api";
import { type Reject } from "./import-counts.ts";
import { type NdjsonLine } from "./ndjson-lines.ts";
import { type Preset, unreadNames } from "./preset.ts";

const SHOWN_CHARACTERS = 100;

/** The call of a line, which may have the `declared` tags, or why there is none. */
export function readCall(
  line: NdjsonLine,
  declared: readonly string[],
  rows?: { preset: Preset; ignored: ReadonlySet<string> },
): { call: ModelCall } | Reject {
  if ("error" in line)
    return { line: line.number, field: "", value: undefined, reason: line.error, input: line.start };
  const input = line.text;
  let value: unknown;
  try {
    value = JSON.parse(input);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return {
      line: line.number,
      field: "",
      value: undefined,
      reason: `The line is not JSON: ${error.message}.`,
      input,
    };
  }
  const at = { line: line.number, input, declared };
  if (rows === undefined) return callFrom(value, at);
  const [unread] = unreadNames(value, rows.preset, rows.ignored);
  if (unread === undefined) return callFrom(rows.preset.shape(value), at);
  const reason = `${rows.preset.program} has no ${unread}: it would not be read. Leave it out with --ignore ${unread}.`;
  return { line: line.number, input, field: unread, value: undefined, reason };
}

/** The call of a value that was read from a line, or why there is none. */
export function callFrom(
  value: unknown,
  { line, input, declared }: Pick<Reject, "line" | "input"> & { declared: readonly string[] },
): { call: ModelCall } | Reject {
  const result = parseModelCall(value, declared);
  if ("call" in result) return result;
  const shown = result.field === "" ? undefined : shownValue(result.value);
  return { line, field: result.field, value: shown, reason: result.reason, input };
}

function shownValue(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // A value nested deeper than the stack can never be written out.
  const json =
    typeof value === "object" && value !== null
      ? Array.isArray(value)
        ? "[…]"
        : "{…}"
      : JSON.stringify(value);
  return json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}…` : json;
}
