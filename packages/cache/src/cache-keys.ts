import { LRUCache } from "lru-cache";
import { type CacheEntry, type CacheField, METRIC_NAMES } from "@usage-stats/core";

// Servers of all versions read each other's generations, or one would not hear of the other's changes through the store.
const PREFIX = "usage-stats:v1";
// Goes up with every change of how a text is kept, so that servers of different versions never read each other's.
const TEXT_PREFIX = "usage-stats:v2:text";
// Answers of servers that know other metrics are told apart by these.
const METRICS = METRIC_NAMES.join();

/** Where an entry is kept, and the generations that it is valid in: its user's, and everyone's. */
export type CacheKeys = { value: string; generations: readonly [own: string, everything: string] };

/** Names the lease of whoever makes a text. */
export type LeaseKey = (valueKey: string, generation: string) => string;

/** The generation of everything that is kept. */
export const EVERYTHING = `${PREFIX}:generation:everything`;

/** Names keys in a store. `sha256` gives the digest of a text's UTF-8 in base64url without padding. */
export function createCacheKeys(sha256: (text: string) => string) {
  const digest = (fields: readonly CacheField[]) => sha256(encode(fields));
  const newGenerationKey = (userDid: string | null) => `${PREFIX}:generation:${digest([userDid])}`;
  /** The same users are asked about again and again. */
  const known = new LRUCache<string, string>({ max: 10_000 });
  const everyones = newGenerationKey(null);

  /** The generation of what was made of one user's calls, or (`null`) of all users' together. */
  function generationKey(userDid: string | null): string {
    if (userDid === null) return everyones;
    let key = known.get(userDid);
    if (key === undefined) known.set(userDid, (key = newGenerationKey(userDid)));
    return key;
  }

  /** Where an entry is kept. */
  function cacheKeys({ kind, userDid, fields }: CacheEntry): CacheKeys {
    return {
      value: `${TEXT_PREFIX}:${digest([kind, userDid, fields, METRICS])}`,
      generations: [generationKey(userDid), EVERYTHING],
    };
  }

  /** The lease of whoever makes a text: of one generation, so that nobody waits for a text that is not valid any more. */
  function leaseKey(valueKey: string, generation: string): string {
    return `${PREFIX}:lease:${digest([valueKey, generation])}`;
  }

  return { cacheKeys, generationKey, leaseKey };
}

/** Every field with its kind and length in front, so that no two lists of fields are written alike, whatever is in them. */
function encode(field: CacheField): string {
  if (field === null) return "n;";
  if (typeof field === "number") return `i${field};`;
  if (typeof field !== "string") return `l${field.length}:${field.map(encode).join("")}`;
  // A digest is of UTF-8, in which all broken halves of characters are one; escaped they differ.
  const text = field.isWellFormed() ? field : JSON.stringify(field);
  return `${text === field ? "s" : "j"}${text.length}:${text}`;
}
