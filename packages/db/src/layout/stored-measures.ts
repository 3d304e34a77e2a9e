import {
  assertExact,
  CALL_FIELDS,
  type MeasureColumn,
  type Measures,
  type Metric,
  METRIC_NAMES,
  METRICS,
  WHOLE_COLUMNS,
  type WholeMeasure,
} from "@usage-stats/core";

/**
 * How a measure is kept in a rollup. Zero is null, which takes no room. What nearly always follows from others is kept as what it differs
 * by. All of it is linear: sums of what is stored are what the sums differ by.
 */
type Stored = {
  column: string;
  type: "int8" | "numeric";
  /** What one call adds, as SQL over the columns of `model_calls`. */
  ofCall: string;
};

const isSuccess = "status = 'success'";

/** Measures that are not stored as they are, and what is stored instead. */
const INSTEAD: Partial<Record<string, Stored>> = {
  success_calls: {
    column: "processing_calls",
    type: "int8",
    ofCall: "(status = 'processing')::int",
  },
  total_usage: {
    column: "other_usage",
    type: "numeric",
    ofCall: "(coalesce(total_usage, 0) - coalesce(input_tokens, 0) - coalesce(output_tokens, 0))::numeric",
  },
  duration_ms_count: {
    column: "duration_unknown",
    type: "int8",
    ofCall: `(${isSuccess} and duration_ms is null)::int`,
  },
};

/** What a measure of a row is, of the row's stored columns. */
const DERIVED: Partial<Record<string, string>> = {
  success_calls: "calls - coalesce(failed_calls, 0) - coalesce(processing_calls, 0)",
  total_usage: "coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(other_usage, 0)",
  duration_ms_count:
    "calls - coalesce(failed_calls, 0) - coalesce(processing_calls, 0) - coalesce(duration_unknown, 0)",
};

export const STORED: readonly Stored[] = METRIC_NAMES.flatMap((name) => storedOf(METRICS[name]));

function storedOf(metric: Metric): Stored[] {
  const { kind, column } = metric;
  switch (kind) {
    case "calls": {
      return [INSTEAD[column] ?? { column, type: "int8", ofCall: countOf(metric) }];
    }
    case "sum":
      return [INSTEAD[column] ?? { column, type: "int8", ofCall: `coalesce(${column}, 0)` }];
    case "decimal_sum":
      return [{ column, type: "numeric", ofCall: `coalesce(nullif(${column}, 'NaN'), 0.00000000)` }];
    case "average": {
      const [sum, count] = [`${column}_sum`, `${column}_count`];
      const isKnown = `${isSuccess} and ${column} is not null`;
      return [
        { column: sum, type: "int8", ofCall: `case when ${isKnown} then ${column} else 0 end` },
        INSTEAD[count] ?? { column: count, type: "int8", ofCall: `(${isKnown})::int` },
      ];
    }
  }
}

/** 1 for a call that is counted, 0 for any other. */
function countOf({ status, unknown }: Metric & { kind: "calls" }): string {
  if (status !== undefined) return `(status = '${status}')::int`;
  return unknown === undefined ? "1" : `(${CALL_FIELDS[unknown].column} is null)::int`;
}

export const STORED_COLUMNS = STORED.map(({ column }) => column);

/** The stored columns as they are. */
export const STORED_LIST = STORED_COLUMNS.join(", ");

/** What takes a row away when it is added. */
export const NEGATED_STORED = STORED_COLUMNS.map((column) => `-${column} as ${column}`).join(", ");

/** One call as a row to be added up. */
export const STORED_OF_CALL = STORED.map(({ ofCall, column }) => `${ofCall} as ${column}`).join(", ");

/**
 * Sums of rows, zero or null where they come to nothing: whole numbers by `sum8`, an exact bigint or an error (22003) past 2^63.
 */
export const SUMMED_STORED = STORED.map(
  ({ column, type }) => `${type === "int8" ? "sum8" : "sum"}(${column}) as ${column}`,
).join(", ");

/** Sums of rows, to be kept: null where they come to nothing. */
export const KEPT_SUMS = STORED.map(({ column, type }) => {
  const sum = `${type === "int8" ? "sum8" : "sum"}(${column})`;
  return column === "calls" ? sum : `nullif(${sum}, 0)`;
}).join(", ");

/** A measure of a row of sums, as SQL. */
export function measureSql(column: string): string {
  return DERIVED[column] ?? `coalesce(${column}, 0)`;
}

/** No credits, with as many decimals as they have in calls. */
const NO_CREDITS = "0.00000000";

export type StoredRow = Record<string, string | null>;

const WHOLE = Object.entries(WHOLE_COLUMNS) as [WholeMeasure, MeasureColumn][];

/** Reads a row of sums, which PostgreSQL sends as text. Throws `number_too_large` where a number would round. */
export function measuresOfStored(row: StoredRow): Measures {
  const measures = { credits: row["credits"] ?? NO_CREDITS } as Measures;
  const number = (column: string) => Number(row[column] ?? 0);
  const success = number("calls") - number("failed_calls") - number("processing_calls");
  for (const [field, column] of WHOLE) {
    const sum =
      column === "success_calls"
        ? success
        : column === "duration_ms_count"
          ? success - number("duration_unknown")
          : column === "total_usage"
            ? totalUsage(row)
            : number(column);
    assertExact(field, sum);
    measures[field] = sum;
  }
  return measures;
}

const MOST_EXACT_DIGITS = 15;

function totalUsage({ input_tokens: input, output_tokens: output, other_usage: other }: StoredRow): number {
  const parts = [input, output, other].map((text) => text ?? "0");
  if (parts.every((text) => text.length <= MOST_EXACT_DIGITS))
    return parts.reduce((sum, text) => sum + Number(text), 0);
  return Number(parts.reduce((sum, text) => sum + BigInt(text), 0n));
}
