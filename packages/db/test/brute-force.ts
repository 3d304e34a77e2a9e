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
  const ranked = rank(current, ({ providerId, model }) => JSON.stringify([providerId, model]));
  const groups = rank(current, (call) => groupOf(call, input.groupBy));
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
      items: ranked.slice(0, input.topN).map(([key, own]) => [key, sums(own), own.length / current.length]),
      other: rest(ranked, input.topN),
      count: ranked.length,
    },
    groups:
      input.groupBy.length === 0
        ? null
        : {
            items: groups.slice(0, input.topN).map(([key, own]) => [key, sums(own)]),
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
      items: stats.groups.items.map((group) => [key(group.key), group.metrics]),
    },
    previous: stats.comparison && stats.comparison.totals,
  };
}

/** Whether a filter lets a call through. */
export function matches(call: ModelCall, { filter }: Pick<UsageStatsQuery, "filter">): boolean {
  return (
    (filter.appDids?.includes(call.appDid ?? "") ?? true) &&
    (filter.providerIds?.includes(call.providerId) ?? true) &&
    (filter.models?.includes(call.model) ?? true) &&
    (filter.types?.includes(call.type) ?? true) &&
    (filter.status?.includes(call.status) ?? true)
  );
}

const VALUE: Record<GroupDimension, (call: ModelCall) => string | null> = {
  app: (call) => call.appDid,
  provider: (call) => call.providerId,
  model: (call) => call.model,
  type: (call) => call.type,
  status: (call) => call.status,
};

/** The group that a call is in, as text. */
export function groupOf(call: ModelCall, groupBy: GroupDimension[]): string {
  return JSON.stringify(groupBy.map((dimension) => VALUE[dimension](call)));
}

/** Most calls first, then by key; no value comes after every value. */
function rank(calls: ModelCall[], keyOf: (call: ModelCall) => string): [string, ModelCall[]][] {
  const order = (key: string) =>
    (JSON.parse(key) as (string | null)[]).map((value) => value ?? "\uffff").join("\0");
  return [...Map.groupBy(calls, keyOf)].toSorted(
    ([a, x], [b, y]) => y.length - x.length || (order(a) < order(b) ? -1 : 1),
  );
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
  const units = calls.reduce((total, { credits }) => total + BigInt(credits.replace(".", "")), 0n);
  return {
    calls: calls.length,
    successCalls: calls.filter(({ status }) => status === "success").length,
    failedCalls: calls.filter(({ status }) => status === "failed").length,
    ...Object.fromEntries(metricsOf("sum").map((name) => [name, sum(name)])),
    credits: `${units / 10n ** 8n}.${String(units % 10n ** 8n).padStart(8, "0")}`,
    ...Object.fromEntries(metricsOf("average").map((name) => [name, average(name)])),
  };
}

/** A field of a call that is a number. */
type Counted = ReturnType<typeof metricsOf<"sum" | "average">>[number];
