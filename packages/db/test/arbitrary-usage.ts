import {
  CALL_STATUSES,
  CALL_TYPES,
  GROUP_DIMENSIONS,
  type GroupDimension,
  metricsOf,
  type ModelCall,
  RANKING_METRICS,
  type UsageFilter,
  type UsageStatsQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { modelCall } from "./model-calls.ts";

const HOUR = 3_600_000;

/** Zones and an instant at which each changes its clocks. */
export const CLOCK_CHANGES: [string, string][] = [
  ["Asia/Kolkata", "2025-06-15T18:30:00Z"],
  ["Asia/Kathmandu", "2025-06-15T18:15:00Z"],
  ["America/New_York", "2025-03-09T07:00:00Z"],
  ["America/New_York", "2025-11-02T06:00:00Z"],
  ["Australia/Lord_Howe", "2025-04-05T15:00:00Z"],
  ["Australia/Lord_Howe", "2025-10-04T15:30:00Z"],
  ["Pacific/Apia", "2011-12-30T10:00:00Z"],
  ["America/St_Johns", "2025-03-09T05:30:00Z"],
  ["America/St_Johns", "2025-11-02T04:30:00Z"],
  ["Europe/Berlin", "2025-10-26T01:00:00Z"],
  ["UTC", "2025-12-31T23:59:59Z"],
];

export const USERS = ["did:abt:z1a", "did:abt:z1a:b", "did:abt:z1c"];
const APPS = [null, "z2app1", "z2app2", "z2app3"];
const KEYS = [null, null, "key-1", "key-2"];
const TAGS = [
  null,
  null,
  { team: "search" },
  { project: "z", team: "search" },
  { team: "ads" },
  { project: "z" },
];
const MODELS = [
  ["openai", "gpt-4o"],
  ["azure", "gpt-4o"],
  ["openai", "o3"],
  ["google", "veo-3"],
] as const;

/** Where in time a case plays: a zone, and an instant that matters there. */
export const scene = fc
  .constantFrom(...CLOCK_CHANGES)
  .map(([timezone, at]) => ({ timezone, at: Date.parse(at) }));

const count = fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: null });
const NUMBERS = Object.fromEntries(metricsOf("sum", "average").map((name) => [name, count]));

/** Calls within some days of an instant, many of them exactly on whole quarters and a millisecond beside. */
export function callsNear(
  at: number,
  size: { minLength?: number; maxLength: number },
): fc.Arbitrary<ModelCall[]> {
  const time = fc.oneof(
    fc.integer({ min: -400 * HOUR, max: 400 * HOUR }),
    fc
      .tuple(fc.integer({ min: -600, max: 600 }), fc.constantFrom(-1, 0, 1))
      .map(([quarter, ms]) => (quarter * HOUR) / 4 + ms),
  );
  const call = fc
    .record({
      offset: time,
      id: fc.integer({ min: 0, max: 1_000_000_000 }),
      userDid: fc.constantFrom(...USERS),
      appDid: fc.constantFrom(...APPS),
      keyId: fc.constantFrom(...KEYS),
      tags: fc.constantFrom(...TAGS),
      model: fc.constantFrom(...MODELS),
      type: fc.constantFrom(...CALL_TYPES),
      status: fc.constantFrom(...CALL_STATUSES),
      credits: fc.option(fc.bigInt({ min: 0n, max: 10n ** 15n }), { nil: null }),
      numbers: fc.record(NUMBERS),
    })
    .map(({ offset, id, model: [providerId, model], credits, numbers, ...rest }) =>
      modelCall({
        ...rest,
        ...numbers,
        id: `call-${id}`,
        providerId,
        model,
        callTime: new Date(at + offset),
        credits:
          credits === null ? null : `${credits / 10n ** 8n}.${String(credits % 10n ** 8n).padStart(8, "0")}`,
      }),
    );
  return fc.uniqueArray(call, {
    ...size,
    selector: ({ userDid, id, callTime }) => `${userDid} ${id} ${callTime.getTime()}`,
  });
}

/** Every dimension there is, with two tags. */
const DIMENSIONS: GroupDimension[] = [...GROUP_DIMENSIONS, "tag.team", "tag.project"];

const tagFilter = fc.constantFrom<NonNullable<UsageFilter["tags"]>>(
  { team: ["search"] },
  { team: ["ads", "search"] },
  { project: ["z"] },
  { project: ["z"], team: ["search", "none"] },
);

/** Any query about the time around an instant: ranges with partial edges, every bucket, grouping and filter. */
export function questionNear(at: number, timezone: string): fc.Arbitrary<UsageStatsQuery> {
  const filter = fc.record(
    {
      appDids: fc.subarray(["z2app1", "z2app2", "none"], { minLength: 1 }),
      keyIds: fc.subarray(["key-1", "key-2", "none"], { minLength: 1 }),
      tags: tagFilter,
      providerIds: fc.subarray(["openai", "azure", "google"], { minLength: 1 }),
      models: fc.subarray(["gpt-4o", "o3", "veo-3"], { minLength: 1 }),
      types: fc.subarray([...CALL_TYPES], { minLength: 1 }),
      status: fc.subarray([...CALL_STATUSES], { minLength: 1 }),
    },
    { requiredKeys: [] },
  );
  const edge = fc.oneof(
    fc.integer({ min: -500 * HOUR, max: 500 * HOUR }),
    fc.integer({ min: -2000, max: 2000 }).map((quarter) => (quarter * HOUR) / 4),
    fc.integer({ min: -20, max: 20 }).map((day) => day * 24 * HOUR),
  );
  return fc
    .record({
      userDid: fc.constantFrom(null, ...USERS),
      one: edge,
      other: edge,
      bucket: fc.constantFrom(
        "auto" as const,
        "15m" as const,
        "hour" as const,
        "day" as const,
        "week" as const,
        "month" as const,
        "none" as const,
      ),
      groupBy: fc.oneof(
        fc.constant<GroupDimension[]>([]),
        fc.shuffledSubarray(DIMENSIONS, { minLength: 1, maxLength: 2 }),
      ),
      filter: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: filter }),
      rankBy: fc.constantFrom(...RANKING_METRICS),
      topN: fc.integer({ min: 1, max: 4 }),
      compare: fc.constantFrom("previous" as const, "none" as const),
      limit: fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
    })
    .map(({ one, other, bucket, limit, ...asked }) => {
      const rest = asked.userDid === null ? withoutKeys(asked) : asked;
      const [from, to] = [at + Math.min(one, other), at + Math.max(one, other) + 1];
      const tooLong = bucket === "15m" && to - from > 7 * 24 * HOUR;
      return {
        ...rest,
        from: new Date(from),
        to: new Date(to),
        timezone,
        bucket: tooLong ? "hour" : bucket,
        ...(limit !== undefined && { limit }),
      };
    });
}

/** Asks for nothing of keys, of which all users together know nothing. */
export function withoutKeys<Asked extends { filter: UsageFilter; groupBy: GroupDimension[] }>(
  asked: Asked,
): Asked {
  const { keyIds: _, ...filter } = asked.filter;
  return { ...asked, filter, groupBy: asked.groupBy.filter((dimension) => dimension !== "key") };
}
