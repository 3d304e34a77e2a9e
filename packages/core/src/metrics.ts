import { type CALL_FIELDS, type CallFieldName, type CallStatus, type ModelCall } from "./model-call.ts";

/** What people read. `durationMs` and `ttfbMs` are `null` where no successful call told its latency. */
export type Metrics = {
  calls: number;
  successCalls: number;
  failedCalls: number;
  inputTokens: number;
  outputTokens: number;
  cachedInputTokens: number;
  cacheWriteTokens: number;
  reasoningTokens: number;
  totalUsage: number;
  /** A decimal with 8 places, as a string, because a float cannot hold money: of the calls whose price is known. */
  credits: string;
  unpricedCalls: number;
  durationMs: { avg: number } | null;
  ttfbMs: { avg: number } | null;
};

/**
 * How a metric comes of calls. `calls`: how many there are, of one `status` or of any, or of those of which a field is `unknown`; the
 * others are of the field of the same name: its `sum` or `decimal_sum`, to which what is unknown adds nothing, or its `average` over successful calls that told it.
 */
export type Metric = { column: string; about: string } & (
  | { kind: "calls"; status?: CallStatus; unknown?: CallFieldName }
  | { kind: "sum" | "decimal_sum" | "average" }
);

/**
 * The metrics by their names, which are those of answers and of CSV, in the order of CSV; `column` is the one in rollups, and of an average
 * begins those of its sum and its count. To add one, say it in `Metrics` and here, add its columns with a migration, and spell it out where
 * `measures.ts` does not compile any more.
 */
export const METRICS = {
  calls: { kind: "calls", column: "calls", about: "How many calls." },
  successCalls: { kind: "calls", status: "success", column: "success_calls", about: "Those that succeeded." },
  failedCalls: { kind: "calls", status: "failed", column: "failed_calls", about: "Those that failed." },
  inputTokens: { kind: "sum", column: "input_tokens", about: "Tokens sent." },
  outputTokens: { kind: "sum", column: "output_tokens", about: "Tokens that came back." },
  cachedInputTokens: {
    kind: "sum",
    column: "cached_input_tokens",
    about: "Tokens sent that the provider had cached.",
  },
  cacheWriteTokens: {
    kind: "sum",
    column: "cache_write_tokens",
    about: "Tokens sent that the provider put into its cache.",
  },
  reasoningTokens: {
    kind: "sum",
    column: "reasoning_tokens",
    about: "Tokens that came back which the model thought with.",
  },
  totalUsage: { kind: "sum", column: "total_usage", about: "Usage, in the unit of each type." },
  credits: { kind: "decimal_sum", column: "credits", about: "What the calls cost, as text with 8 decimals." },
  unpricedCalls: {
    kind: "calls",
    unknown: "credits",
    column: "unpriced_calls",
    about: "Those whose credits nobody knows, and which add nothing to `credits`.",
  },
  durationMs: { kind: "average", column: "duration_ms", about: "How long calls took." },
  ttfbMs: { kind: "average", column: "ttfb_ms", about: "How long until the first piece of the answer." },
} as const satisfies { [Name in keyof Metrics]: Metric & MetricFor<Name> };

/** What a name and its type allow, so that tsc finds where the type and the list disagree. A sum has its field's column. */
type MetricFor<Name extends keyof Metrics> = Name extends keyof ModelCall
  ? { kind: KindFor<Metrics[Name]>; column: (typeof CALL_FIELDS)[Name]["column"] }
  : { kind: "calls" };
type KindFor<Value> = Value extends number ? "sum" : Value extends string ? "decimal_sum" : "average";

export const METRIC_NAMES = Object.keys(METRICS) as (keyof Metrics)[];

type NamesOf<Kind extends Metric["kind"]> = {
  [Name in keyof Metrics]: (typeof METRICS)[Name]["kind"] extends Kind ? Name : never;
}[keyof Metrics];

/** The metrics that are added up. */
export type AddedUp = NamesOf<"calls" | "sum" | "decimal_sum">;

/** The metrics of some kinds, in the order of the list. */
export function metricsOf<const Kind extends Metric["kind"]>(...kinds: Kind[]): NamesOf<Kind>[] {
  return METRIC_NAMES.filter((name) => (kinds as string[]).includes(METRICS[name].kind)) as NamesOf<Kind>[];
}

/** What can be added up: counts, sums, and credits as a decimal string. An average is kept as its sum and its count. */
export type Measures = {
  [Name in WholeMeasure | NamesOf<"decimal_sum">]: Name extends WholeMeasure ? number : string;
};

export type WholeMeasure =
  | NamesOf<"calls" | "sum">
  | `${NamesOf<"average">}Sum`
  | `${NamesOf<"average">}Count`;

/** The column of each whole number that is added up, in rollups. */
export const WHOLE_COLUMNS = Object.fromEntries(
  metricsOf("calls", "sum", "average").flatMap((name): [string, string][] => {
    const { kind, column } = METRICS[name];
    if (kind !== "average") return [[name, column]];
    return [
      [`${name}Sum`, `${column}_sum`],
      [`${name}Count`, `${column}_count`],
    ];
  }),
) as Record<WholeMeasure, MeasureColumn>;

/** A column of a rollup that is added up. */
export type MeasureColumn =
  | (typeof METRICS)[AddedUp]["column"]
  | `${(typeof METRICS)[NamesOf<"average">]["column"]}_${"sum" | "count"}`;
