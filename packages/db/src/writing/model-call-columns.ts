import { type ModelCall } from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";

type ColumnOf<Call> = { name: string; type: string; value: (call: Call) => string | number | null };
export type Column = ColumnOf<ModelCall>;
export type Identity = Pick<ModelCall, "userDid" | "id" | "callTime">;

export const IDENTITY_COLUMNS: ColumnOf<Identity>[] = [
  { name: "user_did", type: "text", value: (call) => call.userDid },
  { name: "id", type: "text", value: (call) => call.id },
  { name: "call_time", type: "timestamptz", value: (call) => call.callTime.toISOString() },
];

/** Everything else a gateway says of a call: a change in any of these makes a repeat a correction. */
export const CONTENT_COLUMNS: Column[] = [
  { name: "app_did", type: "text", value: (call) => call.appDid },
  { name: "provider_id", type: "text", value: (call) => call.providerId },
  { name: "model", type: "text", value: (call) => call.model },
  { name: "type", type: "text", value: (call) => call.type },
  { name: "status", type: "text", value: (call) => call.status },
  { name: "input_tokens", type: "bigint", value: (call) => call.inputTokens },
  { name: "output_tokens", type: "bigint", value: (call) => call.outputTokens },
  { name: "cached_input_tokens", type: "bigint", value: (call) => call.cachedInputTokens },
  { name: "total_usage", type: "bigint", value: (call) => call.totalUsage },
  { name: "credits", type: "numeric", value: (call) => call.credits },
  { name: "duration_ms", type: "bigint", value: (call) => call.durationMs },
  { name: "ttfb_ms", type: "bigint", value: (call) => call.ttfbMs },
  { name: "error_reason", type: "text", value: (call) => call.errorReason },
  { name: "request_id", type: "text", value: (call) => call.requestId },
  { name: "trace_id", type: "text", value: (call) => call.traceId },
  { name: "metadata", type: "jsonb", value: (call) => call.metadata && JSON.stringify(call.metadata) },
];

export const ALL_COLUMNS: Column[] = [...IDENTITY_COLUMNS, ...CONTENT_COLUMNS];

/** Lists the columns' names, each after a prefix such as `old.`. */
export function namesOf(columns: readonly Pick<Column, "name">[], prefix = ""): Sql {
  return raw(columns.map(({ name }) => prefix + name).join(", "));
}

/** Gives calls to a statement as a table of its own, `input`: one array parameter a column. */
export function inputOf<Call>(columns: readonly ColumnOf<Call>[], calls: readonly Call[]): Sql {
  const arrays = columns.map(({ type, value }) => sql`${calls.map(value)}::${raw(type)}[]`);
  return sql`unnest(${join(arrays, ", ")}) as input(${namesOf(columns)})`;
}

/** Says whether the call in the table, `old`, says anything else than the one in `other`. */
export function isOther(other: string): Sql {
  return sql`(${namesOf(CONTENT_COLUMNS, "old.")}) is distinct from (${namesOf(CONTENT_COLUMNS, `${other}.`)})`;
}

/** Says whether the call in `other` says anything newer than the one in the table, `old`. What ended is never `processing` again, however late that is heard. */
export function isNewer(other: string): Sql {
  return sql`${isOther(other)} and (${raw(other)}.status <> 'processing' or old.status = 'processing')`;
}

/**
 * Joins the row of `model_calls` that each row of `input` names to it. OFFSET 0 has each looked up by the key in its own
 * partition, also while the planner's statistics still say that scanning all of them costs nothing.
 */
export const OLD_CALL = sql`cross join lateral (
    select * from model_calls as known
     where (${namesOf(IDENTITY_COLUMNS, "known.")}) = (${namesOf(IDENTITY_COLUMNS, "input.")}) offset 0) as old`;
