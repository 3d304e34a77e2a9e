import { UsageError } from "./errors.ts";
import { type RankingPlace } from "./ports.ts";
import { filterFields } from "./read-usage-facts.ts";
import { type UsageRankingInput } from "./usage-ranking.ts";

/** A place in a ranking as text, which only the same question takes back. */
export function encodeRankingCursor(input: UsageRankingInput, { value, key, rank }: RankingPlace): string {
  const bytes = new TextEncoder().encode(JSON.stringify([scopeOf(input), value, key, rank]));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** Throws `invalid_cursor` for what this question did not give out. */
export function decodeRankingCursor(input: UsageRankingInput, cursor: string): RankingPlace {
  const place = parse(cursor);
  // What does not come out the same again was not made here.
  if (place !== null && encodeRankingCursor(input, place) === cursor) return place;
  throw new UsageError(
    "invalid_cursor",
    "The cursor does not belong to this question: use the nextCursor of its last page.",
    { field: "cursor" },
  );
}

function parse(cursor: string): RankingPlace | null {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const [, value, key, rank] = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    ) as unknown[];
    const place = { value, key, rank };
    return isPlace(place) ? place : null;
  } catch {
    return null;
  }
}

function isPlace(place: { value: unknown; key: unknown; rank: unknown }): place is RankingPlace {
  const { value, key, rank } = place;
  return (
    typeof value === "string" &&
    /^-?\d{1,60}(\.\d{1,60})?$/.test(value) &&
    Array.isArray(key) &&
    key.length === 2 &&
    key.every((part) => typeof part === "string" && !part.includes("\0") && part.isWellFormed()) &&
    Number.isSafeInteger(rank) &&
    (rank as number) > 0
  );
}

/** Everything that the order of a ranking depends on; how long a page is does not matter. */
function scopeOf({ from, to, by, filter, orderBy, direction, search }: UsageRankingInput): unknown[] {
  return [1, from.getTime(), to.getTime(), by, filterFields(filter), orderBy, direction, search];
}
