import { describe, expect, it, vi } from "vitest";
import { cached, cacheEntry, type CacheFormat, type EntryFields } from "../src/cached.ts";
import { type Payload, type ResultCache } from "../src/ports.ts";
import { type UsageStatsQuery } from "../src/usage-stats.ts";

const encoder = new TextEncoder();
const entry = { kind: "count", userDid: null, fields: [] };

/** Gives what it has, or what is computed. */
function cacheOf(kept: string | null): ResultCache {
  return {
    peek: async () => null,
    async remember(_, compute) {
      if (kept !== null) return { payload: { bytes: encoder.encode(kept) }, hit: true };
      const made = await compute();
      const bytes = typeof made === "string" ? encoder.encode(made) : made;
      return { payload: { bytes }, hit: false };
    },
  };
}

function countFormat() {
  return {
    kind: "count",
    encode: (value: { count: number }) => String(value.count),
    decode: vi.fn<(payload: Payload) => { count: number }>(({ bytes }) => ({
      count: Number(new TextDecoder().decode(bytes)),
    })),
  } satisfies CacheFormat<{ count: number }>;
}

describe("a cached value", () => {
  it("is what was made itself, not read back from its payload, for whoever has just made it", async () => {
    const format = countFormat();
    const made = { count: 7 };
    const { value, hit } = await cached(cacheOf(null), format, entry, async () => made);
    expect(hit).toBe(false);
    expect(value).toBe(made);
    expect(format.decode).not.toHaveBeenCalled();
  });

  it("is read from its payload for everyone else, who make nothing", async () => {
    const make = vi.fn<() => Promise<{ count: number }>>(async () => ({ count: 7 }));
    const { value, hit } = await cached(cacheOf("9"), countFormat(), entry, make);
    expect([value, hit]).toEqual([{ count: 9 }, true]);
    expect(make).not.toHaveBeenCalled();
  });

  it("fails as its making does", async () => {
    const failing = cached(cacheOf(null), countFormat(), entry, () => Promise.reject(new Error("no")));
    await expect(failing).rejects.toThrow("no");
  });
});

describe("what a value is cached under", () => {
  const fields: EntryFields<UsageStatsQuery> = {
    from: true,
    to: true,
    timezone: true,
    bucket: true,
    groupBy: true,
    filter: true,
    rankBy: true,
    topN: true,
    compare: true,
    percentiles: true,
    limit: true,
    cursor: true,
  };
  const query: UsageStatsQuery = {
    userDid: "alice",
    from: new Date("2025-06-01T00:00:00Z"),
    to: new Date("2025-06-02T00:00:00Z"),
    timezone: "UTC",
    bucket: "day",
    groupBy: ["model", "app"],
    filter: { models: ["b", "a"] },
    rankBy: "calls",
    topN: 5,
    compare: "none",
  };

  it("says every field in its place, and what is missing as nothing", () => {
    expect(cacheEntry("trpc", query, fields)).toEqual({
      kind: "trpc",
      userDid: "alice",
      fields: [
        1_748_736_000_000,
        1_748_822_400_000,
        "UTC",
        "day",
        ["model", "app"],
        [null, null, ["a", "b"], null, null],
        "calls",
        5,
        "none",
        null,
        null,
        null,
      ],
    });
  });

  it.each([
    { from: new Date("2025-06-01T00:00:01Z") },
    { timezone: "Asia/Tokyo" },
    { groupBy: ["app", "model"] as const },
    { filter: { providerIds: ["a", "b"] } },
    { filter: { models: ["b", "a"], keyIds: ["k"] } },
    { filter: { models: ["b", "a"], tags: { team: ["search"] } } },
    { groupBy: ["model", "tag.team"] as const },
    { rankBy: "credits" as const },
    { percentiles: [50] },
    { limit: 5 },
    { cursor: "5" },
  ])("differs with %j", (change) => {
    const other = cacheEntry("trpc", { ...query, ...change } as UsageStatsQuery, fields);
    expect(other).not.toEqual(cacheEntry("trpc", query, fields));
  });

  it("differs for filters of keys and tags that differ, and not for another order of the same", () => {
    const filters: UsageStatsQuery["filter"][] = [
      {},
      { keyIds: ["a"] },
      { keyIds: ["a", "b"] },
      { tags: { a: ["a"] } },
      { tags: { a: ["a", "b"] } },
      { tags: { b: ["a"] } },
      { tags: { a: ["a"], b: ["a"] } },
      { keyIds: ["a"], tags: { a: ["a"] } },
    ];
    const texts = filters.map((filter) => JSON.stringify(cacheEntry("trpc", { ...query, filter }, fields)));
    expect(new Set(texts).size).toBe(filters.length);
    const other = { tags: { b: ["a"], a: ["b", "a"] }, keyIds: ["b", "a"] };
    const same = { keyIds: ["a", "b"], tags: { a: ["a", "b"], b: ["a"] } };
    expect(cacheEntry("trpc", { ...query, filter: other }, fields)).toEqual(
      cacheEntry("trpc", { ...query, filter: same }, fields),
    );
  });
});
