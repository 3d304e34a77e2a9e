import { type UsageFilter } from "./group-by.ts";
import { type CacheEntry, type CacheField, type Payload, type ResultCache } from "./ports.ts";
import { type TimeRange } from "./range.ts";

/** How values of one kind are cached: `encode` gives what is kept of one, `decode` what that says. */
export type CacheFormat<Value> = {
  kind: string;
  encode(value: Value): string | Uint8Array<ArrayBuffer>;
  decode(payload: Payload): Value;
};

/**
 * Gives the value that is cached for an entry, or else what `make` gives, which is cached then. What this caller has made itself is
 * given as it is: it is not read back from its payload. Throws what `make` throws, whose signal aborts when nobody waits any more.
 */
export async function cached<Value>(
  cache: ResultCache,
  { encode, decode }: CacheFormat<Value>,
  entry: CacheEntry,
  make: (wanted?: AbortSignal) => Promise<Value>,
): Promise<{ value: Value; hit: boolean }> {
  let own: { value: Value } | undefined;
  const { payload, hit } = await cache.remember(entry, async (wanted) => {
    own = { value: await make(wanted) };
    return encode(own.value);
  });
  return { value: own === undefined ? decode(payload) : own.value, hit };
}

type EntryField =
  | string
  | number
  | boolean
  | undefined
  | null
  | Date
  | TimeRange
  | UsageFilter
  | readonly EntryField[];

/** The fields of a query that what is made of it depends on: whoever lists them is held to listing all. `noCache` changes no answer. */
export type EntryFields<Query> = Readonly<Record<Exclude<keyof Query, "userDid" | "noCache">, true>>;

/**
 * What something that was made of a query is cached under: its kind, whose calls it is of, and every field that is listed, in that order.
 * A field that was missing would give one query another's answer.
 */
export function cacheEntry<Query extends { userDid: string | null }>(
  kind: string,
  query: Query & { [Name in keyof Query]: EntryField },
  fields: EntryFields<Query>,
): CacheEntry {
  const names = Object.keys(fields) as (keyof typeof fields)[];
  return { kind, userDid: query.userDid, fields: names.map((name) => fieldOf(query[name])) };
}

function fieldOf(value: EntryField): CacheField {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return Number(value);
  if (typeof value !== "object") return value;
  if (value instanceof Date) return value.getTime();
  if (isList(value)) return value.map(fieldOf);
  if ("from" in value) return [value.from.getTime(), value.to.getTime()];
  return filterFields(value);
}

// `Array.isArray` does not tell lists that are only read.
function isList(value: object): value is readonly EntryField[] {
  return Array.isArray(value);
}

/**
 * A filter's lists, whatever order they were written in: they mean the same. Keys and tags stand for nothing where neither is asked for,
 * so that cursors and answers of the version before are still good.
 */
export function filterFields(filter: UsageFilter): readonly CacheField[] {
  const { appDids, providerIds, models, types, status, keyIds, tags } = filter;
  const lists = [appDids, providerIds, models, types, status].map(listOf);
  return keyIds === undefined && tags === undefined ? lists : [...lists, listOf(keyIds), tagLists(tags)];
}

function tagLists(tags: UsageFilter["tags"] = {}): CacheField {
  return Object.entries(tags)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, values]) => [name, listOf(values)]);
}

function listOf(list: readonly string[] | undefined): CacheField {
  return list?.toSorted() ?? null;
}
