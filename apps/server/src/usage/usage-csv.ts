import { textFormat } from "@usage-stats/api";
import { type Metrics, type MetricsByType, metricsOf, type UsageStats } from "@usage-stats/core";
import { csvText } from "../csv/csv-text.ts";

const ADDED_UP = metricsOf("calls", "sum", "decimal_sum");

/**
 * A series as CSV: a row for each bucket that had calls and each type in it, in the order of time. What is added up over all rows
 * is the total of the range.
 */
function usageCsv({ series }: Pick<UsageStats, "series">): string {
  const header = ["date", "type", ...ADDED_UP];
  const rows = series.flatMap(({ label, byType }) =>
    (Object.entries(byType) as [keyof MetricsByType, Metrics][])
      .toSorted(([one], [other]) => (one < other ? -1 : 1))
      .map(([type, metrics]) => [label, type, ...ADDED_UP.map((name) => metrics[name])]),
  );
  return csvText([header, ...rows]);
}

/** Usage as CSV, cached as it is sent but for a byte order mark. */
export const USAGE_CSV = textFormat("csv", usageCsv);
