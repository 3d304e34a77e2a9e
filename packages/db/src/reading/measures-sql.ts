import { assertExact, type Measures } from "@usage-stats/core";

const COLUMNS = {
  calls: "calls",
  successCalls: "success_calls",
  failedCalls: "failed_calls",
  inputTokens: "input_tokens",
  outputTokens: "output_tokens",
  cachedInputTokens: "cached_input_tokens",
  totalUsage: "total_usage",
  durationMsSum: "duration_ms_sum",
  durationMsCount: "duration_ms_count",
  ttfbMsSum: "ttfb_ms_sum",
  ttfbMsCount: "ttfb_ms_count",
} as const;

type MeasureColumn = (typeof COLUMNS)[keyof typeof COLUMNS] | "credits";

export const MEASURE_COLUMNS: MeasureColumn[] = [...Object.values(COLUMNS), "credits"];

/** The columns of a rollup as they are. */
export const MEASURES = MEASURE_COLUMNS.join(", ");

/** What takes a rollup's row away when it is added. */
export const NEGATED_MEASURES = MEASURE_COLUMNS.map((column) => `-${column} as ${column}`).join(", ");

/** The sums of rollup rows. */
export const SUMMED_MEASURES = MEASURE_COLUMNS.map((column) => `sum(${column}) as ${column}`).join(", ");

/** One call as a row to be added up. Latencies are of successful calls; what is unknown (null), or no number, adds nothing. */
export const CALL_MEASURES = `
  1 as calls,
  (status = 'success')::int as success_calls,
  (status = 'failed')::int as failed_calls,
  coalesce(input_tokens, 0) as input_tokens,
  coalesce(output_tokens, 0) as output_tokens,
  coalesce(cached_input_tokens, 0) as cached_input_tokens,
  coalesce(total_usage, 0) as total_usage,
  case when status = 'success' and duration_ms is not null then duration_ms else 0 end as duration_ms_sum,
  (status = 'success' and duration_ms is not null)::int as duration_ms_count,
  case when status = 'success' and ttfb_ms is not null then ttfb_ms else 0 end as ttfb_ms_sum,
  (status = 'success' and ttfb_ms is not null)::int as ttfb_ms_count,
  coalesce(nullif(credits, 'NaN'), 0.00000000) as credits`;

/** The column of each measure, to order by; `credits` is its own. */
export const COLUMN_OF: Record<keyof Measures, string> = { ...COLUMNS, credits: "credits" };

const FIELDS = Object.entries(COLUMNS) as [keyof typeof COLUMNS, MeasureColumn][];

export type MeasuresRow = Record<MeasureColumn, string>;

/** Reads a row's sums, which PostgreSQL sends as text. Throws `number_too_large` where a number would round. */
export function measuresOf(row: MeasuresRow): Measures {
  const measures = { credits: row.credits } as Measures;
  for (const [field, column] of FIELDS) {
    const sum = Number(row[column]);
    assertExact(field, sum);
    measures[field] = sum;
  }
  return measures;
}
