import { filterFields } from "./cached.ts";
import { canonicalTags } from "./call-tags.ts";
import { decodeCursor, encodeCursor, invalidCursor } from "./cursor-text.ts";
import {
  type CallList,
  type CallOrigin,
  type CallPlace,
  type CallReader,
  type CallPageQuery,
  type ListCallsQuery,
  type ListedCall,
} from "./listed-call.ts";
import { checkRange } from "./range.ts";
import { isStorable } from "./storable-text.ts";

/** Lists calls a page at a time, newest first. What is written meanwhile neither repeats a call nor leaves one out. Throws `UsageStatsError`. */
export async function listCalls(
  reader: CallReader,
  input: ListCallsQuery,
  signal?: AbortSignal,
): Promise<CallList> {
  const after = input.cursor === undefined ? null : decode(input, input.cursor);
  const query = pageQueryOf(input, after);
  // One more than a page holds tells whether there is another.
  const found = await reader.readCalls({ ...query, limit: input.limit + 1 }, signal);
  const items = found.slice(0, input.limit);
  const last = items.at(-1);
  const isMore = last !== undefined && found.length > input.limit;
  return { items, nextCursor: isMore ? encode(input, last) : null };
}

/**
 * Every call, newest first, in pages of `limit`: as many as there are, without holding more than a page. Each page is read when
 * the one before was taken. Throws `UsageStatsError` at once for a query that is wrong.
 */
export function everyCall(
  reader: CallReader,
  input: ListCallsQuery,
  signal?: AbortSignal,
): AsyncGenerator<ListedCall[]> {
  const query = pageQueryOf(input, null);
  return pages();

  async function* pages() {
    let after: CallPlace | null = null;
    for (;;) {
      const page: ListedCall[] = await reader.readCalls({ ...query, after }, signal);
      if (page.length > 0) yield page;
      if (page.length < input.limit) return;
      after = page.at(-1)!;
    }
  }
}

function pageQueryOf(input: ListCallsQuery, after: CallPlace | null): CallPageQuery {
  const { userDid, filter, origin, search, minDurationMs, withVoided, limit } = input;
  const range = checkRange({ from: input.from, to: input.to });
  return { userDid, filter, origin, search, minDurationMs, withVoided, limit, range, after };
}

function encode(input: ListCallsQuery, { callTime, id, userDid }: CallPlace): string {
  return encodeCursor(cursorScope(input), [callTime.getTime(), id, userDid]);
}

function decode(input: ListCallsQuery, cursor: string): CallPlace {
  const [time, id, userDid] = decodeCursor(cursor) ?? [];
  if (Number.isSafeInteger(time) && isText(id) && isText(userDid)) {
    const place = { callTime: new Date(time as number), id, userDid };
    // What does not come out the same again was not made for this query.
    if (encode(input, place) === cursor) return place;
  }
  throw invalidCursor();
}

function isText(value: unknown): value is string {
  return typeof value === "string" && isStorable(value);
}

/** Everything that the order of a list depends on; how long a page is does not matter. */
function cursorScope(input: ListCallsQuery): unknown[] {
  const { userDid, from, to, filter, origin, search, minDurationMs, withVoided } = input;
  return [
    "calls",
    userDid,
    from.getTime(),
    to.getTime(),
    filterFields(filter),
    search,
    minDurationMs,
    withVoided,
    ...originScope(origin),
  ];
}

/** Nothing for any origin, so that cursors of the version before are still good. */
function originScope({ keyId, runId, conversationId, tags }: CallOrigin): unknown[] {
  if (keyId === null && runId === null && conversationId === null && tags === null) return [];
  return [[keyId, runId, conversationId, tags && Object.entries(canonicalTags(tags) ?? {})]];
}
