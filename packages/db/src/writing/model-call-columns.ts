import { type ModelCall } from "@usage-stats/core";
import { arrayLiteral } from "../array-literal.ts";

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

/** The columns' names as a list, each after a prefix such as `old.`. */
export function namesOf(columns: readonly Pick<Column, "name">[], prefix = ""): string {
  return columns.map(({ name }) => prefix + name).join(", ");
}

/** Rows that are given as parameters (`parametersOf`), as a table of its own in a statement. */
export function inputOf(columns: readonly Pick<Column, "name" | "type">[]): string {
  return `unnest(${columns.map(({ type }) => `?::${type}[]`).join(", ")}) as input(${namesOf(columns)})`;
}

/** One array a column. */
export function parametersOf<Call>(columns: readonly ColumnOf<Call>[], calls: readonly Call[]): string[] {
  return columns.map((column) => arrayLiteral(calls.map(column.value)));
}

/** Whether the call in the table, `old`, says anything else than the one in `other`. */
export function isOther(other: string): string {
  return `(${namesOf(CONTENT_COLUMNS, "old.")}) is distinct from (${namesOf(CONTENT_COLUMNS, `${other}.`)})`;
}

/** Whether the call in `other` says anything newer than the one in the table, `old`. What ended is never `processing` again, however late that is heard. */
export function isNewer(other: string): string {
  return `${isOther(other)} and (${other}.status <> 'processing' or old.status = 'processing')`;
}

/**
 * The row of `model_calls` that each row of `input` names, to be joined to it. OFFSET 0 has each looked up by the key in its own
 * partition, also while the planner's statistics still say that scanning all of them costs nothing.
 */
export const OLD_CALL = `cross join lateral (
    select * from model_calls as known
     where (${namesOf(IDENTITY_COLUMNS, "known.")}) = (${namesOf(IDENTITY_COLUMNS, "input.")}) offset 0) as old`;
