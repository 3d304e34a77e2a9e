import {
  type Bucket,
  chooseBucket,
  type GroupDimension,
  previousRange,
  type RankingMetric,
  seriesBuckets,
  startOfGrain,
  type TimeRange,
  type UsageFilter,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { CLOCK_CHANGES, USERS, withoutKeys } from "../arbitrary-usage.ts";

const HOUR = 3_600_000;
const QUARTER = HOUR / 4;

/** How long a range is asked for, so that there are several buckets of that width. */
export const HOURS: Record<Bucket | "auto", number> = {
  "15m": 5,
  hour: 30,
  day: 6 * 24,
  week: 24 * 24,
  month: 80 * 24,
  none: 70,
  auto: 26,
};

/** Zones, each with an instant that matters there. */
export const ZONES = Object.fromEntries(
  CLOCK_CHANGES.map(([timezone, at]) => [`${timezone} at ${at}`, { timezone, at: Date.parse(at) }]),
);

export const GROUPINGS: Record<string, GroupDimension[]> = {
  nothing: [],
  app: ["app"],
  provider: ["provider"],
  model: ["model"],
  type: ["type"],
  status: ["status"],
  "model and app": ["model", "app"],
  "type and provider": ["type", "provider"],
  "a tag": ["tag.team"],
  "key and a tag": ["key", "tag.project"],
};

export const FILTERS: Record<string, UsageFilter> = {
  none: {},
  app: { appDids: ["z2app1", "z2app3"] },
  provider: { providerIds: ["openai"] },
  model: { models: ["gpt-4o", "veo-3"] },
  type: { types: ["chatCompletion", "embedding", "video"] },
  status: { status: ["success", "processing"] },
  key: { keyIds: ["key-1", "none"] },
  tags: { tags: { team: ["search", "ads"] } },
  "tags and an app": { tags: { team: ["search"], project: ["z"] }, appDids: ["z2app1"] },
  "status and model": { status: ["failed", "success"], models: ["gpt-4o", "o3"] },
  "what there is not": { providerIds: ["nobody"] },
};

export const WHOSE = { "one user": USERS[0]!, "all users": null };

type Edges = (length: number, at: number, now: number, draw: (bound: number) => number) => [number, number];

/** Where a range lies: in time that is over, at an instant that matters; or to now and beyond. */
export const FRESHNESS: Record<string, Edges> = {
  settled(length, at, _, draw) {
    const from = quarter(at) - draw(length / QUARTER) * QUARTER;
    return [from, from + length];
  },
  "edges within quarters"(length, at, _, draw) {
    const from = quarter(at) - draw(length / QUARTER) * QUARTER;
    return [from + draw(900) * 1_000, from + length + draw(900) * 1_000 + draw(2)];
  },
  "up to now": (length, _, now) => [quarter(now) - length, now],
  "into the future": (length, _, now, draw) => [
    quarter(now) - length + draw(900) * 1_000,
    quarter(now) + 3 * HOUR,
  ],
};

type Values = {
  bucket: Bucket | "auto";
  zone: string;
  groupBy: string;
  filter: string;
  rankBy: RankingMetric;
  compare: "previous" | "none";
  freshness: string;
  who: keyof typeof WHOSE;
  percentiles: "asked for" | "not asked for";
};

/** The question that a row asks. */
export function questionOf(row: Values, now: Date, draw: (bound: number) => number): UsageStatsQuery {
  const { timezone, at } = ZONES[row.zone]!;
  const [from, to] = FRESHNESS[row.freshness]!(HOURS[row.bucket] * HOUR, at, now.getTime(), draw);
  const asked = {
    userDid: WHOSE[row.who],
    from: new Date(from),
    to: new Date(to),
    timezone,
    bucket: row.bucket,
    groupBy: GROUPINGS[row.groupBy]!,
    filter: FILTERS[row.filter]!,
    rankBy: row.rankBy,
    topN: 2,
    compare: row.compare,
    ...(row.percentiles === "asked for" && { percentiles: [50, 99.9] }),
  };
  return asked.userDid === null ? withoutKeys(asked) : asked;
}

/** Instants at which a question may go wrong: its edges, those of its buckets and of quarters, and a millisecond beside. */
export function instantsOf(query: UsageStatsQuery): number[] {
  const range: TimeRange = { from: query.from, to: query.to };
  const buckets = seriesBuckets(range, query.timezone, chooseBucket(query.bucket, range));
  const edges = [
    query.from,
    query.to,
    previousRange(range).from,
    ...buckets.slice(0, 3).map(({ end }) => end),
    ...buckets.slice(-3).map(({ start }) => start),
  ].map(Number);
  const half = (query.to.getTime() - query.from.getTime()) / 2;
  const middles = [query.from.getTime() + half, query.from.getTime() - half];
  const whole = [...edges, ...middles].flatMap((edge) => [quarter(edge), quarter(edge) + QUARTER]);
  return [...new Set([...edges, ...whole])].flatMap((edge) => [edge, edge - 1, edge + 1]);
}

function quarter(time: number): number {
  return startOfGrain(new Date(time), "quarter").getTime();
}
