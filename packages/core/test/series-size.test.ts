import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseBucket,
  getUsageStats,
  seriesBuckets,
  seriesCells,
  UsageStatsError,
  type UsageStatsQuery,
} from "../src/index.ts";
import { groupsThatFit, MAX_SERIES_CELLS } from "../src/series-size.ts";
import { splitQuery } from "../src/split-query.ts";

const DAY = 86_400_000;
const from = new Date("2025-03-01T00:00:00Z");
const query = (change: Partial<UsageStatsQuery>, days = 61): UsageStatsQuery => ({
  from,
  to: new Date(from.getTime() + days * DAY),
  userDid: "did:abt:z1alice",
  timezone: "UTC",
  bucket: "hour",
  groupBy: ["model", "app"],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "none",
  ...change,
});
const empty = async () => ({
  sums: [],
  models: [],
  groups: [],
  groupSeries: [],
  liveFrom: from,
  source: "raw" as const,
  statements: 1,
  durationMs: 1,
});
const ports = {
  repository: { read: empty, sumCalls: empty },
  cache: null,
  now: new Date("2026-01-01T00:00:00Z"),
};
const ask = (input: UsageStatsQuery) => getUsageStats(ports, input);

describe("a series", () => {
  it("of too many buckets times groups is refused before anything is read, saying what to lower", async () => {
    const refusal = await ask(query({ topN: 100 })).catch((error: unknown) => error as UsageStatsError);
    expect(refusal).toMatchObject({
      code: "invalid_option",
      field: "topN",
      limit: "20,000 buckets times groups",
    });
    expect((refusal as Error).message).toBe(
      "The series would have 1,464 buckets of 101 groups each, and may have 20,000 together. Lower topN to 12, " +
        'take a wider bucket or a shorter range, or ask for pages with limit 198. Got "100".',
    );
  });

  it.each([
    ["with what was said: topN", { topN: 12 }],
    ["with what was said: pages", { topN: 100, limit: 198 }],
    ["with what was said: a wider bucket", { topN: 100, bucket: "day" }],
    ["where nothing is grouped", { topN: 100, groupBy: [] }],
    ["where there are only totals", { topN: 100, bucket: "none" }],
  ] as [string, Partial<UsageStatsQuery>][])("is answered %s", async (_, change) => {
    await expect(ask(query(change))).resolves.toBeDefined();
  });

  it.each([
    ["one more group", { topN: 13 }],
    ["a page of one bucket more", { topN: 100, limit: 199 }],
  ] as [string, Partial<UsageStatsQuery>][])("is refused with %s", async (_, change) => {
    await expect(ask(query(change))).rejects.toMatchObject({ code: "invalid_option" });
  });

  it("of the defaults is answered for the longest range of each bucket", async () => {
    for (const [bucket, days] of [
      ["15m", 7],
      ["hour", 92],
      ["day", 1_827],
    ] as const)
      await expect(ask(query({ bucket }, days))).resolves.toBeDefined();
  });

  it("has no more cells than were counted for it beforehand", () => {
    fc.assert(
      fc.property(
        fc.record({
          bucket: fc.constantFrom(
            "15m" as const,
            "hour" as const,
            "day" as const,
            "week" as const,
            "month" as const,
            "auto" as const,
          ),
          timezone: fc.constantFrom(
            "UTC",
            "Europe/Berlin",
            "Australia/Lord_Howe",
            "Asia/Kathmandu",
            "Pacific/Apia",
          ),
          start: fc.integer({ min: 0, max: 400 * 96 }),
          quarters: fc.integer({ min: 1, max: 7 * 96 }),
          topN: fc.integer({ min: 1, max: 25 }),
          limit: fc.option(fc.integer({ min: 1, max: 800 }), { nil: undefined }),
        }),
        ({ start, quarters, limit, ...change }) => {
          const begins = new Date(from.getTime() + start * 900_000);
          const range = { from: begins, to: new Date(begins.getTime() + quarters * 900_000) };
          const input = query({ ...change, ...range, ...(limit !== undefined && { limit }) });
          const buckets = seriesBuckets(range, input.timezone, chooseBucket(input.bucket, range)).length;
          const cells = Math.min(buckets, limit ?? buckets) * (input.topN + 1);
          expect(seriesCells(input)).toBeGreaterThanOrEqual(Math.min(cells, MAX_SERIES_CELLS));
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("what is kept of history", () => {
  it("has more groups than were asked for, but never more cells than an answer may have", () => {
    expect(groupsThatFit(24, 5, 25)).toBe(25);
    expect(groupsThatFit(2_208, 5, 25)).toBe(8);
    expect(groupsThatFit(2_208, 8, 28)).toBe(8);
    expect(groupsThatFit(0, 5, 25)).toBe(25);
    const edges = Array.from({ length: 1_465 }, (_, i) => new Date(from.getTime() + i * 3_600_000));
    const { to, userDid, groupBy, filter, rankBy, topN } = query({ topN: 12 });
    const split = splitQuery(
      { userDid, range: { from, to }, previous: null, settled: false, edges, groupBy, filter, rankBy, topN },
      new Date(to.getTime() - DAY),
    );
    expect(split!.history.topN).toBe(12);
  });
});
