import { UsageError } from "./errors.ts";
import {
  type CallList,
  type CallPlace,
  type CallReader,
  type CallsQuestion,
  type ListCallsInput,
  type ListedCall,
} from "./listed-call.ts";
import { checkRange } from "./range.ts";
import { filterFields } from "./read-usage-facts.ts";

/** Lists calls a page at a time, newest first. What is written meanwhile neither repeats a call nor leaves one out. Throws `UsageError`. */
export async function listCalls(
  reader: CallReader,
  input: ListCallsInput,
  signal?: AbortSignal,
): Promise<CallList> {
  const after = input.cursor === undefined ? null : decode(input, input.cursor);
  const question = questionOf(input, after);
  // One more than a page holds tells whether there is another.
  const found = await reader.readCalls({ ...question, limit: input.limit + 1 }, signal);
  const items = found.slice(0, input.limit);
  const last = items.at(-1);
  const isMore = last !== undefined && found.length > input.limit;
  return { items, nextCursor: isMore ? encode(input, last) : null };
}

/**
 * Every call, newest first, in pages of `limit`: as many as there are, without holding more than a page. Each page is read when
 * the one before was taken.
 */
export async function* everyCall(
  reader: CallReader,
  input: ListCallsInput,
  signal?: AbortSignal,
): AsyncGenerator<ListedCall[]> {
  let after: CallPlace | null = null;
  for (;;) {
    const page: ListedCall[] = await reader.readCalls(questionOf(input, after), signal);
    if (page.length > 0) yield page;
    if (page.length < input.limit) return;
    after = page.at(-1)!;
  }
}

function questionOf(input: ListCallsInput, after: CallPlace | null): CallsQuestion {
  const { userDid, filter, search, minDurationMs, withVoided, limit } = input;
  const range = checkRange({ from: input.from, to: input.to });
  return { userDid, filter, search, minDurationMs, withVoided, limit, range, after };
}

function encode(input: ListCallsInput, { callTime, id, userDid }: CallPlace): string {
  const fields = [...scopeOf(input), callTime.getTime(), id, userDid];
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(fields))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function decode(input: ListCallsInput, cursor: string): CallPlace {
  const place = parse(cursor);
  // What does not come out the same again was not made for this question.
  if (place !== null && encode(input, place) === cursor) return place;
  throw new UsageError(
    "invalid_cursor",
    "The cursor does not belong to this question: use the nextCursor of its last page.",
    { field: "cursor" },
  );
}

function parse(cursor: string): CallPlace | null {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const fields = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as unknown[];
    const [time, id, userDid] = fields.slice(-3);
    const isPlace = Number.isSafeInteger(time) && isText(id) && isText(userDid);
    return isPlace ? { callTime: new Date(time as number), id, userDid } : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0") && value.isWellFormed();
}

/** Everything that the order of a list depends on; how long a page is does not matter. */
function scopeOf(input: ListCallsInput): unknown[] {
  const { userDid, from, to, filter, search, minDurationMs, withVoided } = input;
  return [1, userDid, from.getTime(), to.getTime(), filterFields(filter), search, minDurationMs, withVoided];
}
