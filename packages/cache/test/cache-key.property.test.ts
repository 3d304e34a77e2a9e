import { isDeepStrictEqual } from "node:util";
import { type CacheEntry, type CacheField } from "@usage-stats/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { cacheKeys, generationKey, leaseKey } from "../src/cache-key.ts";

// Texts that would run into each other, if anything were written without its length.
const text = fc.oneof(
  fc.stringMatching(/^[:;snilj0-9\0]{0,4}$/),
  fc.string({ maxLength: 3 }),
  fc.constantFrom("\ud800", "\udfff", "\ufffd", "null", '"\\ud800"', "did:abt:z1", "", "*"),
);
const { field } = fc.letrec<{ field: CacheField }>((tie) => ({
  field: fc.oneof(
    { maxDepth: 2 },
    text,
    fc.integer({ min: -12, max: 12 }),
    fc.constant(null),
    fc.array(tie("field"), { maxLength: 3 }),
  ),
}));
const entry: fc.Arbitrary<CacheEntry> = fc.record(
  { kind: text, userDid: fc.option(text), fields: fc.array(field, { maxLength: 3 }) },
  { noNullPrototype: true },
);

it("gives what differs in anything another key, and what is the same the same", () => {
  fc.assert(
    fc.property(entry, entry, (one, other) => {
      expect(cacheKeys(one).value === cacheKeys(other).value).toBe(isDeepStrictEqual(one, other));
    }),
    { numRuns: 20_000 },
  );
});

it("gives neighbours another key: a field split, joined, moved, nested or named otherwise", () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const lists: CacheField[][] = [
        [a, b],
        [a + b],
        [[a, b]],
        [[a], b],
        [a, [b]],
        [a, b, null],
        [a, b, ""],
        [null, a, b],
      ];
      const keys = lists.map((fields) => cacheKeys({ kind: "", userDid: null, fields }).value);
      expect(new Set(keys).size).toBe(lists.length);
    }),
  );
});

it("gives each user a generation of their own, and everyone together another", () => {
  const users = [null, "", "null", "a", "a:b", "\ud800", "\ufffd"];
  for (let i = 0; i < 2; i++) expect(new Set(users.map(generationKey)).size).toBe(users.length);
});

it("shows nobody's id in a key, and never gives texts, generations and leases the same", () => {
  const { value, generations } = cacheKeys({ kind: "k", userDid: "did:abt:z1*\n evil", fields: [] });
  const keys = [value, ...generations, generationKey(null), leaseKey(value, "g"), leaseKey(value, "h")];
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) expect(key).toMatch(/^usage-stats:v\d+:(text|generation|lease):[\w-]+$/);
  expect(generations[0]).toBe(generationKey("did:abt:z1*\n evil"));
});

// Servers of two versions share a Redis while they are replaced.
it("gives the keys that servers before gave", () => {
  expect(generationKey("did:abt:z1alice")).toBe(
    "usage-stats:v1:generation:GuDUvMhNDJPvABlAhBI9Mc9eQOhnaZPs-lqJ24NRYHQ",
  );
  expect(leaseKey("usage-stats:v1:text:kst_HYQzQyr6nmbttjV7-h7V_YKegWhf9ZY5dEiSK6s", "g")).toBe(
    "usage-stats:v1:lease:nRx34WRKw4ELwRdXFeNiQf0zv8OmJHFnEHT1kJJwtqw",
  );
});
