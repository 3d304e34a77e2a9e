import {
  type GroupDimension,
  LATENCIES,
  type ModelCall,
  type Percentiles,
  type UsageStats,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { groupOf, matches } from "./brute-force.ts";

/** For each place of an answer that has percentiles, what it says and the calls that it says it of. */
export type ToldPercentiles = { place: string; percentiles: Percentiles | undefined; calls: ModelCall[] };

/** Finds every place of an answer that may have percentiles, and the calls that it is about, one by one. */
export function toldPercentiles(
  calls: ModelCall[],
  input: UsageStatsQuery,
  stats: UsageStats,
): ToldPercentiles[] {
  const mine = calls.filter(
    (call) => (input.userDid === null || call.userDid === input.userDid) && matches(call, input),
  );
  const within = ({ from, to }: { from: Date; to: Date }) =>
    mine.filter(({ callTime }) => callTime >= from && callTime < to);
  const current = within(input);
  const { groups, comparison } = stats;
  const keyOf = (call: ModelCall) => groupOf(call, input.groupBy);
  const first = (groups?.items ?? []).map(({ key }) => idOf(key, input.groupBy));
  return [
    { place: "the range", percentiles: stats.percentiles, calls: current },
    ...(comparison
      ? [
          {
            place: "the period before",
            percentiles: comparison.percentiles,
            calls: within(comparison.range),
          },
        ]
      : []),
    ...stats.series.map(({ start, end, label, percentiles }) => ({
      place: `bucket ${label}`,
      percentiles,
      calls: within({ from: start, to: end }),
    })),
    ...(groups?.items ?? []).map(({ key, percentiles }) => ({
      place: `group ${idOf(key, input.groupBy)}`,
      percentiles,
      calls: current.filter((call) => keyOf(call) === idOf(key, input.groupBy)),
    })),
    ...(groups?.other
      ? [
          {
            place: "other groups",
            percentiles: groups.otherPercentiles ?? undefined,
            calls: current.filter((call) => !first.includes(keyOf(call))),
          },
        ]
      : []),
  ];
}

/**
 * Finds what is wrong with the percentiles of some calls: that are not of as many calls as told a latency, or further than 2.5 % from the
 * call at the nearest rank of all of them in order; or that are told though some of these calls are gone. Nothing, where all is right.
 */
export function faultsOf(
  { place, percentiles, calls }: ToldPercentiles,
  asked: readonly number[],
  isGone: (call: ModelCall) => boolean = () => false,
): string[] {
  return LATENCIES.flatMap((name) => {
    const counted = calls.filter((call) => call.status === "success" && call[name] !== null);
    const values = counted.map((call) => call[name]!).toSorted((one, other) => one - other);
    const told = percentiles?.[name];
    if (values.length === 0 || counted.some(isGone))
      return told === null ? [] : [`${place}: ${name} of no call, or of calls that are gone`];
    if (told?.count !== values.length)
      return [`${place}: ${name} of ${told?.count} calls instead of ${values.length}`];
    return asked.flatMap((percentile) => {
      const value = values[rankOf(percentile, values.length) - 1]!;
      const said = told[`p${percentile}`];
      const isClose = said !== undefined && Math.abs(said - value) <= 0.025 * value;
      return isClose ? [] : [`${place}: ${name} p${percentile} ${said} instead of ${value}`];
    });
  });
}

/** The rank by definition, in whole numbers: the least k of which k / n is at least p / 100. */
function rankOf(percentile: number, count: number): number {
  const tenths = BigInt(percentile.toFixed(1).replace(".", ""));
  return Number((tenths * BigInt(count) + 999n) / 1000n);
}

function idOf(key: Record<string, unknown>, groupBy: GroupDimension[]): string {
  return JSON.stringify(groupBy.map((dimension) => key[dimension]));
}
