import { type AssembledStats } from "./assemble-stats.ts";
import { type GroupDimension } from "./group-by.ts";
import { groupId } from "./group-id.ts";
import { type Percentiles, PercentilesSum } from "./percentiles.ts";
import { type Aggregates } from "./ports.ts";

/** What of a query says which percentiles it is told. */
export type AskedPercentiles = { percentiles: readonly number[]; groupBy: readonly GroupDimension[] };

/** Adds the percentiles that were asked for to an answer that was put together of the same aggregates, which have histograms. */
export function tellPercentiles(
  { percentiles: asked, groupBy }: AskedPercentiles,
  stats: AssembledStats,
  aggregates: Aggregates,
): AssembledStats {
  const periods = { current: new PercentilesSum(), previous: new PercentilesSum() };
  const series = stats.series.map(() => new PercentilesSum());
  for (const { period, bucket, measures } of aggregates.sums) {
    periods[period].addMeasures(measures);
    if (bucket !== null) series[bucket]?.addMeasures(measures);
  }
  for (const row of aggregates.latencies?.sums ?? []) {
    periods[row.period].addHistograms(row);
    if (row.bucket !== null) series[row.bucket]?.addHistograms(row);
  }
  return {
    ...stats,
    series: stats.series.map((item, i) => ({ ...item, percentiles: series[i]!.finish(asked) })),
    groups: stats.groups && toldOfGroups(stats.groups, { percentiles: asked, groupBy }, aggregates),
    comparison: stats.comparison && {
      ...stats.comparison,
      percentiles: periods.previous.finish(asked),
    },
    percentiles: periods.current.finish(asked),
  };
}

function toldOfGroups(
  groups: NonNullable<AssembledStats["groups"]>,
  { percentiles: asked, groupBy }: AskedPercentiles,
  aggregates: Aggregates,
): NonNullable<AssembledStats["groups"]> {
  const others = new PercentilesSum();
  const own = new Map(groups.items.map(({ key }) => [groupId(key, groupBy), new PercentilesSum()]));
  for (const { key, measures } of aggregates.groups)
    (own.get(groupId(key, groupBy)) ?? others).addMeasures(measures);
  for (const row of aggregates.latencies?.groups ?? [])
    ((row.key && own.get(groupId(row.key, groupBy))) ?? others).addHistograms(row);
  const finish = (key: Parameters<typeof groupId>[0]): Percentiles =>
    own.get(groupId(key, groupBy))!.finish(asked);
  return {
    ...groups,
    items: groups.items.map((item) => ({ ...item, percentiles: finish(item.key) })),
    otherPercentiles: groups.other && others.finish(asked),
  };
}
