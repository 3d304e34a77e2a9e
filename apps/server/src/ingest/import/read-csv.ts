import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import { OperatorError } from "../../operator-error.ts";
import { type CsvMapping } from "./csv-columns.ts";
import { csvShape } from "./csv-shape.ts";
import { MAX_LINE_BYTES } from "./ndjson-lines.ts";
import { callFrom } from "./read-call.ts";
import { type ReadCalls, type ReadLine } from "./read-calls.ts";
import { escapedBytes, NAME_ENCODING, NOT_UTF8, utf8Of } from "./text-encoding.ts";

/** Its characters are bytes: the parser would replace what is not UTF-8. */
type Parsed = { record: string[]; raw: string; info: { lines: number } };

/** CSV with a header (RFC 4180), in UTF-8, of which `mapping` says what its columns are. */
export function readCsv(mapping: CsvMapping, delimiter = ","): ReadCalls {
  return async function* (bytes) {
    const parser = parse({
      delimiter,
      encoding: "latin1",
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_LINE_BYTES,
    });
    // A failure of the bytes is thrown below, where they are read.
    const piped = pipeline(Readable.from(bytes), parser).catch(() => {});
    let shape: ReturnType<typeof csvShape> | null = null;
    try {
      for await (const parsed of parser as AsyncIterable<Parsed>) {
        const text = textsOf(parsed);
        if (shape !== null)
          yield { number: parsed.info.lines, ...readRecord(parsed, text, shape, mapping.declared) };
        else if (text === null) throw new OperatorError(`The header is not valid UTF-8. ${NAME_ENCODING}`);
        else shape = csvShape(text.record, mapping);
      }
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw new OperatorError(`This is no CSV that can be read: ${error.message}.`, { cause: error });
    } finally {
      parser.destroy();
      await piped;
    }
    if (shape === null) throw new OperatorError("The CSV is empty: it has not even a header.");
  };
}

function readRecord(
  { raw, info: { lines: line } }: Parsed,
  text: ReturnType<typeof textsOf>,
  shape: ReturnType<typeof csvShape>,
  declared: readonly string[],
): Pick<ReadLine, "characters" | "result"> {
  const characters = raw.length;
  if (text === null) {
    const input = escapedBytes(Buffer.from(withoutEnding(raw), "latin1"));
    return { characters, result: { line, field: "", value: undefined, reason: NOT_UTF8, input } };
  }
  const input = withoutEnding(text.raw);
  const shaped = shape(text.record);
  if (!("error" in shaped)) return { characters, result: callFrom(shaped.value, { line, input, declared }) };
  return {
    characters,
    result: { line, field: shaped.field, value: shaped.value, reason: shaped.error, input },
  };
}

function withoutEnding(raw: string): string {
  return raw.replace(/\r?\n$/, "");
}

/** The record as text; `null` where its bytes are not UTF-8. */
function textsOf({ record, raw }: Parsed): { record: string[]; raw: string } | null {
  // Most records are ASCII, whose characters are its bytes.
  // eslint-disable-next-line no-control-regex
  if (/^[\u0000-\u007f]*$/.test(raw)) return { record, raw };
  const text = utf8Of(Buffer.from(raw, "latin1"));
  if (text === null) return null;
  return { record: record.map((cell) => Buffer.from(cell, "latin1").toString("utf8")), raw: text };
}
