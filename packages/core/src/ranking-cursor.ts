import { decodeCursor, encodeCursor, invalidCursor } from "./cursor-text.ts";
import { type RankingPlace } from "./ports.ts";
import { filterFields } from "./cached.ts";
import { type UsageRankingQuery } from "./usage-ranking.ts";
import { isStorable } from "./storable-text.ts";

/** A place in a ranking as text, which only the same query takes back. */
export function encodeRankingCursor(input: UsageRankingQuery, { value, key, rank }: RankingPlace): string {
  return encodeCursor(cursorScope(input), [value, key, rank]);
}

/** Throws `invalid_cursor` for what this query did not give out. */
export function decodeRankingCursor(input: UsageRankingQuery, cursor: string): RankingPlace {
  const [value, key, rank] = decodeCursor(cursor) ?? [];
  const place = { value, key, rank };
  // What does not come out the same again was not made here.
  if (isPlace(place) && encodeRankingCursor(input, place) === cursor) return place;
  throw invalidCursor();
}

function isPlace(place: { value: unknown; key: unknown; rank: unknown }): place is RankingPlace {
  const { value, key, rank } = place;
  return (
    typeof value === "string" &&
    /^-?\d{1,60}(\.\d{1,60})?$/.test(value) &&
    Array.isArray(key) &&
    key.length === 2 &&
    key.every((part) => typeof part === "string" && isStorable(part)) &&
    Number.isSafeInteger(rank) &&
    (rank as number) > 0
  );
}

/** Everything that the order of a ranking depends on; how long a page is does not matter. */
function cursorScope({ from, to, by, filter, orderBy, direction, search }: UsageRankingQuery): unknown[] {
  return ["ranking", from.getTime(), to.getTime(), by, filterFields(filter), orderBy, direction, search];
}
