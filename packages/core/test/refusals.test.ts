import { describe, expect, it } from "vitest";
import {
  type Bucket,
  chooseBucket,
  getUsageStats,
  parseTimeZone,
  sumMeasures,
  timeZoneOfOffset,
  UsageStatsError,
  type UsageAggregates,
  type UsageStatsQuery,
} from "../src/index.ts";

const DAY = 86_400_000;
const start = new Date("2025-06-01T00:00:00Z");
const days = (n: number) => ({ from: start, to: new Date(start.getTime() + n * DAY) });

function refusal(attempt: () => unknown): UsageStatsError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof UsageStatsError) return error;
    throw error;
  }
  throw new Error("was not refused");
}

const emptyFacts: UsageAggregates = {
  sums: [],
  models: [],
  groups: [],
  groupSeries: [],
  liveFrom: start,
  source: "raw",
  statements: 2,
  durationMs: 1,
};
const ports = {
  repository: { read: async () => emptyFacts, sumCalls: async () => emptyFacts },
  cache: null,
  now: new Date("2026-01-01T00:00:00Z"),
};
const input: UsageStatsQuery = {
  ...days(3),
  userDid: "did:abt:z1a:b",
  timezone: "UTC",
  bucket: "day",
  groupBy: [],
  filter: {},
  rankBy: "calls",
  topN: 5,
  compare: "previous",
};

describe("the longest range of each bucket", () => {
  it.each<[Bucket, number, string]>([
    ["15m", 7, "7 days"],
    ["hour", 92, "92 days"],
    ["day", 1827, "5 years"],
    ["week", 1827, "5 years"],
    ["month", 1827, "5 years"],
    ["none", 1827, "5 years"],
  ])("of %s is %i days", (bucket, longest, limit) => {
    expect(chooseBucket(bucket, days(longest))).toBe(bucket);
    const error = refusal(() => chooseBucket(bucket, days(longest + 1)));
    expect(error).toMatchObject({ code: "range_too_long", field: "to", limit });
    expect(error.message).toContain(limit);
  });

  it("is chosen for auto so that a chart has a handful to about a hundred points", () => {
    expect([0.1, 0.25, 1, 4, 7, 30, 100, 365, 731, 1800].map((n) => chooseBucket("auto", days(n)))).toEqual([
      "15m",
      "15m",
      "hour",
      "hour",
      "day",
      "day",
      "day",
      "week",
      "week",
      "month",
    ]);
  });
});

describe("a range", () => {
  it.each([
    ["backwards", { from: days(2).to, to: start }, "invalid_range"],
    ["empty", { from: start, to: start }, "invalid_range"],
    ["not a time", { from: new Date(Number.NaN), to: start }, "invalid_time"],
    ["in year one", { from: new Date("0001-01-01T00:00:00Z"), to: start }, "invalid_time"],
    ["past 2100", { from: start, to: new Date("2101-01-01T00:00:00Z") }, "invalid_time"],
  ])("that is %s is refused", async (_, range, code) => {
    await expect(getUsageStats(ports, { ...input, ...range })).rejects.toMatchObject({ code });
  });
});

describe("a time zone", () => {
  it.each([
    "Mars/Base",
    "+99:00",
    "../etc",
    "",
    "Europe/Berlin ",
    "UTC\0",
    "[u-ca=iso8601]",
    "2025-01-01T00:00Z",
    "+05:07",
    "x".repeat(5000),
  ])("%j is refused", (zone) => {
    expect(refusal(() => parseTimeZone(zone))).toMatchObject({ code: "invalid_timezone", field: "timezone" });
  });

  it.each([
    ["Asia/Calcutta", "Asia/Calcutta"],
    ["asia/kolkata", "Asia/Kolkata"],
    ["utc", "UTC"],
    ["Etc/GMT+5", "Etc/GMT+5"],
    ["America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"],
    ["-03:30", "-03:30"],
  ])("%s is understood", (zone, name) => {
    expect(parseTimeZone(zone)).toBe(name);
  });

  it("of getTimezoneOffset minutes is positive in the west", () => {
    expect([0, -330, 345, -840, 720].map(timeZoneOfOffset)).toEqual([
      "UTC",
      "+05:30",
      "-05:45",
      "+14:00",
      "-12:00",
    ]);
    for (const minutes of [7, 900, -900, 1.5, Number.NaN])
      expect(refusal(() => timeZoneOfOffset(minutes)).code).toBe("invalid_timezone");
  });
});

describe("pages", () => {
  it("go from the newest buckets to the oldest and cover each once", async () => {
    const labels: string[][] = [];
    let cursor: string | undefined;
    do {
      const { stats } = await getUsageStats(ports, {
        ...input,
        ...days(7),
        limit: 3,
        ...(cursor && { cursor }),
      });
      labels.push(stats.series.map(({ label }) => label));
      cursor = stats.nextCursor ?? undefined;
    } while (cursor);
    expect(labels).toEqual([
      ["2025-06-05", "2025-06-06", "2025-06-07"],
      ["2025-06-02", "2025-06-03", "2025-06-04"],
      ["2025-06-01"],
    ]);
  });

  it("refuse a cursor of another user, range, zone or bucket, and an edited one", async () => {
    const { stats } = await getUsageStats(ports, { ...input, limit: 1 });
    const cursor = stats.nextCursor!;
    for (const change of [
      { userDid: "did:abt:z1a" },
      { userDid: null },
      days(4),
      { timezone: "Europe/Berlin" },
      { bucket: "hour" as const },
      { cursor: `${cursor}A` },
      { cursor: "" },
    ]) {
      await expect(getUsageStats(ports, { ...input, limit: 1, cursor, ...change })).rejects.toMatchObject({
        code: "invalid_cursor",
        field: "cursor",
      });
    }
    await expect(getUsageStats(ports, { ...input, limit: 1, cursor })).resolves.toBeDefined();
  });
});

describe("sums", () => {
  const one = { ...sumMeasures([]), calls: 1, inputTokens: 1, credits: "0.10000000" };

  it("of credits are exact where floats are not", () => {
    expect(sumMeasures([one, { ...one, credits: "0.20000000" }]).credits).toBe("0.30000000");
    expect(
      sumMeasures([
        { ...one, credits: "9999999999999999999.99999999" },
        { ...one, credits: "0.00000001" },
      ]).credits,
    ).toBe("10000000000000000000.00000000");
    expect(sumMeasures([]).credits).toBe("0.00000000");
  });

  it("past 2^53 are refused rather than rounded", () => {
    const huge = { ...one, inputTokens: Number.MAX_SAFE_INTEGER };
    expect(refusal(() => sumMeasures([huge, one]))).toMatchObject({
      code: "number_too_large",
      field: "inputTokens",
    });
  });
});
