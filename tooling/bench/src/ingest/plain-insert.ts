import { type ModelCall } from "@usage-stats/core";
import { type Pool } from "pg";

const COLUMNS: [name: string, type: string, value: (call: ModelCall) => string | number | null][] = [
  ["user_did", "text", (call) => call.userDid],
  ["id", "text", (call) => call.id],
  ["call_time", "timestamptz", (call) => call.callTime.toISOString()],
  ["app_did", "text", (call) => call.appDid],
  ["provider_id", "text", (call) => call.providerId],
  ["model", "text", (call) => call.model],
  ["type", "text", (call) => call.type],
  ["status", "text", (call) => call.status],
  ["input_tokens", "bigint", (call) => call.inputTokens],
  ["output_tokens", "bigint", (call) => call.outputTokens],
  ["cached_input_tokens", "bigint", (call) => call.cachedInputTokens],
  ["total_usage", "bigint", (call) => call.totalUsage],
  ["credits", "numeric", (call) => call.credits],
  ["duration_ms", "bigint", (call) => call.durationMs],
  ["ttfb_ms", "bigint", (call) => call.ttfbMs],
  ["error_reason", "text", (call) => call.errorReason],
  ["request_id", "text", (call) => call.requestId],
  ["trace_id", "text", (call) => call.traceId],
];

const NAMES = COLUMNS.map(([name]) => name).join(", ");
const INSERT = `insert into plain_calls (${NAMES}) select * from unnest(${COLUMNS.map(([, type], i) => `$${i + 1}::${type}[]`).join(", ")})`;

/** The same table with the same index, but no triggers, no partitions, and nothing that looks whether a call is there already. */
export async function createPlainTable(pool: Pool): Promise<void> {
  await pool.query("create table plain_calls (like model_calls including defaults including constraints)");
  await pool.query("alter table plain_calls add primary key (user_did, call_time, id)");
}

/** Writes calls as fast as SQL can from here: one statement, and nothing asked in return. */
export async function insertPlain(pool: Pool, calls: ModelCall[]): Promise<void> {
  const values = COLUMNS.map(([, , value]) => calls.map(value));
  await pool.query({ name: "plain", text: INSERT, values });
}
