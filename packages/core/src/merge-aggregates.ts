import { type GroupDimension, type GroupKey } from "./group-by.ts";
import { groupId, keyTexts, type KeyTexts } from "./group-id.ts";
import { sumMeasures } from "./measures.ts";
import { type Measures } from "./metrics.ts";
import { type Aggregates, type AggregateQuery } from "./ports.ts";
import { largestFirst, type RankingMetric, rankingValue } from "./ranking-value.ts";
import { type SplitQuery } from "./split-query.ts";

/**
 * Adds the aggregates of the remainder to those of the history, as if they had been read together. The first groups are those of
 * the whole: both have every group's sums, whatever their own orders. `null` where they cannot tell: a group that has come among the first
 * `topN` has calls in the history, but no series there.
 */
export function mergeAggregates(
  query: AggregateQuery,
  { history: asked, firstBucket }: SplitQuery,
  history: Aggregates,
  remainder: Aggregates,
): Aggregates | null {
  const keyOf = ({ key }: { key: GroupKey }) => keyTexts(key, query.groupBy);
  const { rankBy } = query;
  const groups = mergeRanked(rankBy, history.groups, remainder.groups, keyOf);
  const top = groups.slice(0, query.topN).map(({ key }) => key);
  const beyond = new Set(history.groups.slice(asked.topN).map(({ key }) => groupId(key, query.groupBy)));
  if (top.some((key) => beyond.has(groupId(key, query.groupBy)))) return null;

  const placed = <Row extends { bucket: number | null }>(row: Row) =>
    row.bucket === null ? row : { ...row, bucket: row.bucket + firstBucket };
  return {
    sums: [...history.sums.map(placed), ...remainder.sums],
    models: mergeRanked(rankBy, history.models, remainder.models, ({ providerId, model }) => [
      providerId,
      model,
    ]),
    groups,
    groupSeries: mergeSeries(
      [...history.groupSeries.map(placed), ...remainder.groupSeries],
      top,
      query.groupBy,
    ),
    ...(history.latencies &&
      remainder.latencies && {
        latencies: {
          sums: [...history.latencies.sums.map(placed), ...remainder.latencies.sums],
          groups: [...history.latencies.groups, ...remainder.latencies.groups],
        },
      }),
  };
}

type Series = Aggregates["groupSeries"];

/** Sums rows of the same bucket and group; every group that is not among the `top` is one of the others. */
function mergeSeries(rows: Series, top: GroupKey[], groupBy: GroupDimension[]): Series {
  const rankOf = new Map(top.map((key, rank) => [groupId(key, groupBy), rank]));
  const ranked = rows.map((row) => ({
    ...row,
    rank: (row.key && rankOf.get(groupId(row.key, groupBy))) ?? top.length,
  }));
  return [...Map.groupBy(ranked, ({ bucket, rank }) => bucket * (top.length + 1) + rank)]
    .toSorted(([one], [other]) => one - other)
    .map(([, same]) => ({
      bucket: same[0]!.bucket,
      key: top[same[0]!.rank] ?? null,
      measures: sumMeasures(same.map(({ measures }) => measures)),
    }));
}

type Ranked = { measures: Measures };

/** Sums rows of the same key, and ranks as the database does: the largest first, then by key, nothing after everything. */
function mergeRanked<Row extends Ranked>(
  rankBy: RankingMetric,
  one: Row[],
  other: Row[],
  keyOf: (row: Row) => KeyTexts,
): Row[] {
  if (other.length === 0) return one;
  const merged = [...Map.groupBy([...one, ...other], (row) => JSON.stringify(keyOf(row))).values()].map(
    (same) => {
      const row = { ...same[0]!, measures: sumMeasures(same.map(({ measures }) => measures)) };
      return { row, key: keyOf(row), value: rankingValue(row.measures, rankBy) };
    },
  );
  return merged
    .toSorted((a, b) => largestFirst(a.value, b.value) || compareKeys(a.key, b.key))
    .map(({ row }) => row);
}

function compareKeys(one: KeyTexts, other: KeyTexts): number {
  for (const [i, text] of one.entries()) {
    const order = compareTexts(text, other[i]!);
    if (order !== 0) return order;
  }
  return 0;
}

/** By code points, as PostgreSQL's collation "C" compares UTF-8; JavaScript's `<` puts surrogates before U+E000. */
function compareTexts(one: string | null, other: string | null): number {
  if (one === other) return 0;
  if (one === null) return 1;
  if (other === null) return -1;
  let i = 0;
  while (i < one.length && one[i] === other[i]) i += 1;
  return orderOf(one.charCodeAt(i)) - orderOf(other.charCodeAt(i));
}

function orderOf(unit: number): number {
  if (Number.isNaN(unit)) return -1;
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
