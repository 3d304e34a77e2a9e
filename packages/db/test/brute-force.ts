import {
  type GroupDimension,
  metricsOf,
  type ModelCall,
  type UsageStats,
  type UsageStatsQuery,
} from "@usage-stats/core";

type Sums = Record<string, number | string | null>;

/** What an answer must say, by adding up calls one by one in plain TypeScript; credits as whole 1e-8 units in a bigint. */
export function bruteForce(calls: ModelCall[], input: UsageStatsQuery, stats: UsageStats) {
  const mine = calls.filter(
    (call) => (input.userDid === null || call.userDid === input.userDid) && matches(call, input),
  );
  const within = (from: Date, to: Date) => mine.filter(({ callTime }) => callTime >= from && callTime < to);
  const current = within(input.from, input.to);
  const length = input.to.getTime() - input.from.getTime();
  const ranked = rank(current, input, ({ providerId, model }) => JSON.stringify([providerId, model]));
  const groups = rank(current, input, (call) => groupOf(call, input.groupBy));
  const items = (all: [string, ModelCall[]][]) =>
    all.slice(0, input.topN).map(([key, own]) => [key, sums(own), shareOf(own, current, input)]);
  const top = groups.slice(0, input.topN).map(([key]) => key);
  return {
    totals: sums(current),
    byType: byType(current),
    series: stats.series.map(({ start, end }) => {
      const inside = within(start, end);
      return {
        metrics: sums(inside),
        byType: byType(inside),
        ...(input.groupBy.length > 0 && { groups: seriesGroups(inside, input.groupBy, top) }),
      };
    }),
    models: {
      items: items(ranked),
      other: rest(ranked, input.topN),
      count: ranked.length,
    },
    groups:
      input.groupBy.length === 0
        ? null
        : {
            items: items(groups),
            other: rest(groups, input.topN),
            count: groups.length,
          },
    previous:
      input.compare === "none" ? null : sums(within(new Date(input.from.getTime() - length), input.from)),
  };
}

/** The same parts of the answer itself. */
export function comparable(stats: UsageStats, groupBy: GroupDimension[]) {
  const key = (group: Record<string, unknown> | null) =>
    group && JSON.stringify(groupBy.map((dimension) => group[dimension]));
  return {
    totals: stats.totals,
    byType: stats.byType,
    series: stats.series.map(({ metrics, byType: types, groups }) => ({
      metrics,
      byType: types,
      ...(groups && { groups: groups.map((group) => [key(group.key), group.metrics]) }),
    })),
    models: {
      ...stats.models,
      items: stats.models.items.map(({ providerId, model, metrics, share }) => [
        JSON.stringify([providerId, model]),
        metrics,
        share,
      ]),
    },
    groups: stats.groups && {
      other: stats.groups.other,
      count: stats.groups.count,
      items: stats.groups.items.map((group) => [key(group.key), group.metrics, group.share]),
    },
    previous: stats.comparison && stats.comparison.totals,
  };
}

/** Whether a filter lets a call through. */
export function matches(call: ModelCall, { filter }: Pick<UsageStatsQuery, "filter">): boolean {
  return (
    (filter.appDids?.includes(call.appDid ?? "") ?? true) &&
    (filter.keyIds?.includes(call.keyId ?? "") ?? true) &&
    Object.entries(filter.tags ?? {}).every(([name, values]) => values.includes(call.tags?.[name] ?? "")) &&
    (filter.providerIds?.includes(call.providerId) ?? true) &&
    (filter.models?.includes(call.model) ?? true) &&
    (filter.types?.includes(call.type) ?? true) &&
    (filter.status?.includes(call.status) ?? true)
  );
}

const VALUE: Partial<Record<GroupDimension, (call: ModelCall) => string | null>> = {
  app: (call) => call.appDid,
  key: (call) => call.keyId,
  provider: (call) => call.providerId,
  model: (call) => call.model,
  type: (call) => call.type,
  status: (call) => call.status,
};

/** The group that a call is in, as text. */
export function groupOf(call: ModelCall, groupBy: GroupDimension[]): string {
  const valueOf = (dimension: GroupDimension) =>
    VALUE[dimension] === undefined
      ? (call.tags?.[dimension.slice("tag.".length)] ?? null)
      : VALUE[dimension](call);
  return JSON.stringify(groupBy.map(valueOf));
}

/** The largest first, then by key; no value comes after every value. */
function rank(
  calls: ModelCall[],
  { rankBy }: UsageStatsQuery,
  keyOf: (call: ModelCall) => string,
): [string, ModelCall[]][] {
  const order = (key: string) =>
    (JSON.parse(key) as (string | null)[]).map((value) => value ?? "\uffff").join("\0");
  return [...Map.groupBy(calls, keyOf)].toSorted(
    ([a, x], [b, y]) =>
      compareFractions(fractionOf(y, rankBy), fractionOf(x, rankBy)) || (order(a) < order(b) ? -1 : 1),
  );
}

/** A metric of calls as a whole number over another; of no average, less than any. */
function fractionOf(calls: ModelCall[], rankBy: UsageStatsQuery["rankBy"]): [bigint, bigint] {
  if (rankBy === "durationMs" || rankBy === "ttfbMs") {
    const known = calls.filter((call) => call.status === "success" && call[rankBy] !== null);
    if (known.length === 0) return [-1n, 1n];
    return [known.reduce((sum, call) => sum + BigInt(call[rankBy]!), 0n), BigInt(known.length)];
  }
  const value = sums(calls)[rankBy] as number | string;
  return [BigInt(String(value).replace(".", "")), 1n];
}

function compareFractions([a, b]: [bigint, bigint], [c, d]: [bigint, bigint]): number {
  return a * d < c * b ? -1 : a * d > c * b ? 1 : 0;
}

/** To more decimals than a number has, which reading the text rounds to the nearest. */
function shareOf(own: ModelCall[], all: ModelCall[], { rankBy }: UsageStatsQuery): number | null {
  if (rankBy === "durationMs" || rankBy === "ttfbMs") return null;
  const [[part], [whole]] = [fractionOf(own, rankBy), fractionOf(all, rankBy)];
  return whole === 0n ? null : Number(`${(part * 10n ** 60n) / whole}e-60`);
}

function rest(ranked: [string, ModelCall[]][], topN: number): Sums | null {
  return ranked.length <= topN ? null : sums(ranked.slice(topN).flatMap(([, calls]) => calls));
}

function seriesGroups(calls: ModelCall[], groupBy: GroupDimension[], top: string[]): unknown[] {
  const groups = Map.groupBy(calls, (call) => {
    const key = groupOf(call, groupBy);
    return top.includes(key) ? key : null;
  });
  return [...top, null].flatMap((key) => (groups.has(key) ? [[key, sums(groups.get(key)!)]] : []));
}

function byType(calls: ModelCall[]): Record<string, Sums> {
  return Object.fromEntries(
    [...Map.groupBy(calls, ({ type }) => type)].map(([type, own]) => [type, sums(own)]),
  );
}

/** Metrics, by adding up calls one by one. */
export function sums(calls: ModelCall[]): Sums & Record<string, unknown> {
  const sum = (field: Counted) => calls.reduce((total, call) => total + (call[field] ?? 0), 0);
  const average = (field: Counted) => {
    const known = calls.filter((call) => call.status === "success" && call[field] !== null);
    return known.length === 0
      ? null
      : { avg: known.reduce((total, call) => total + call[field]!, 0) / known.length };
  };
  const prices = calls.flatMap(({ credits }) => credits ?? []);
  const units = prices.reduce((total, credits) => total + BigInt(credits.replace(".", "")), 0n);
  return {
    calls: calls.length,
    successCalls: calls.filter(({ status }) => status === "success").length,
    failedCalls: calls.filter(({ status }) => status === "failed").length,
    ...Object.fromEntries(metricsOf("sum").map((name) => [name, sum(name)])),
    credits: `${units / 10n ** 8n}.${String(units % 10n ** 8n).padStart(8, "0")}`,
    unpricedCalls: calls.length - prices.length,
    ...Object.fromEntries(metricsOf("average").map((name) => [name, average(name)])),
  };
}

/** A field of a call that is a number. */
type Counted = ReturnType<typeof metricsOf<"sum" | "average">>[number];
