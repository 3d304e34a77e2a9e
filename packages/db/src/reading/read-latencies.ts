import {
  type AggregateQuery,
  type Aggregates,
  type GroupKey,
  LATENCIES,
  type Latencies,
  type LatencyHistogram,
  type LatencyName,
  type TimeRange,
  UsageStatsError,
} from "@usage-stats/core";
import { sqlStateOf } from "../connection/sqlstate.ts";
import { askParts } from "./asked-usage.ts";
import { PREVIOUS } from "./bucket-sql.ts";
import { type AskedLatencies, type LatenciesShape, latenciesSql, type LatencyRow } from "./latencies-sql.ts";
import { type RunStatement } from "./statement-runner.ts";
import { templateByShape } from "./statement-template.ts";
import { shapeOf } from "./usage-shape.ts";

const statementOf = templateByShape<LatenciesShape, AskedLatencies>(latenciesSql);

/**
 * Reads histograms of the latencies that some sums of a query count, from the calls themselves: of all of both periods, or of some
 * `parts` of them. To be run in the snapshot of these sums, whose groups say which are first. Throws `unavailable` where that takes
 * longer than a statement may.
 */
export async function readLatencies(
  run: RunStatement,
  query: AggregateQuery,
  { groups }: Pick<Aggregates, "groups">,
  parts: TimeRange[] | null,
): Promise<Latencies> {
  const first = groups.slice(0, query.topN).map(({ key }) => key);
  const statement = statementOf({ ...shapeOf(query), isOfParts: parts !== null });
  try {
    const rows = await run<LatencyRow>(statement({ ...askParts(query, parts ?? []), first }), "prepared");
    return latenciesOf(rows, first);
  } catch (error) {
    throw sqlStateOf(error) === QUERY_CANCELED ? tookTooLong(error) : error;
  }
}

const QUERY_CANCELED = "57014";

function tookTooLong(cause: unknown): UsageStatsError {
  return new UsageStatsError(
    "unavailable",
    "The percentiles of so many calls cannot be told in time. Leave out percentiles, or ask for a shorter range.",
    { field: "percentiles", cause },
  );
}

/** Puts the rows of one place together: there is one for each latency. */
function latenciesOf(rows: LatencyRow[], first: GroupKey[]): Latencies {
  const ofBuckets = rows.filter((row) => !row.is_of_group);
  const ofGroups = rows.filter((row) => row.is_of_group);
  return {
    sums: [...Map.groupBy(ofBuckets, ({ bucket }) => bucket)].map(([bucket, own]) => ({
      period: bucket === PREVIOUS ? "previous" : "current",
      bucket: bucket === PREVIOUS ? null : bucket,
      ...histogramsOf(own),
    })),
    groups: [...Map.groupBy(ofGroups, ({ rank }) => rank!)].map(([rank, own]) => ({
      key: first[rank] ?? null,
      ...histogramsOf(own),
    })),
  };
}

function histogramsOf(rows: LatencyRow[]): Record<LatencyName, LatencyHistogram> {
  const histograms = LATENCIES.map((name, index): [LatencyName, LatencyHistogram] => {
    const row = rows.find(({ latency }) => latency === index);
    return [name, row === undefined ? [] : histogramOf(row)];
  });
  return Object.fromEntries(histograms) as Record<LatencyName, LatencyHistogram>;
}

function histogramOf(row: LatencyRow): LatencyHistogram {
  const calls = numbersOf(row.calls);
  return numbersOf(row.bins).map((bin, i) => [bin, calls[i]!]);
}

/** Reads the text of an array of numbers. */
function numbersOf(text: string): number[] {
  return JSON.parse(`[${text.slice(1, -1)}]`) as number[];
}
