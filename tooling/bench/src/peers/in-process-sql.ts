import { PEER_MEASURES, type PeerSums } from "./peer-answer.ts";

// The same text for SQLite and for DuckDB.
const CALL_MEASURES: Record<keyof PeerSums, string> = {
  calls: "count(*)",
  successCalls: "sum(success)",
  failedCalls: "count(*) - sum(success)",
  inputTokens: "sum(input_tokens)",
  outputTokens: "sum(output_tokens)",
  cachedInputTokens: "sum(cached_input_tokens)",
  credits: "sum(credits)",
};

/** Calls as they came, with no more columns than the question needs. */
export const CALL_COLUMNS = [
  ["user", "varchar"],
  ["day", "varchar"],
  ["model", "varchar"],
  ["success", "bigint"],
  ["input_tokens", "bigint"],
  ["output_tokens", "bigint"],
  ["cached_input_tokens", "bigint"],
  ["credits", "double"],
] as const;

/** A row a user, day and model: how such a table is filled from calls. */
export const FILL_DAYS = `insert into days select "user", day, model, ${PEER_MEASURES.map(
  (name) => CALL_MEASURES[name],
).join(", ")} from calls group by "user", day, model order by "user", day, model`;

/** The columns of that table. */
export const DAY_COLUMNS = `"user" varchar, day varchar, model varchar, ${PEER_MEASURES.map(
  (name) => `${name} ${name === "credits" ? "double" : "bigint"}`,
).join(", ")}`;

type Statements = { days: string; models: string };

/** Sums by day and calls by model, of a user from a day until before another: from calls, and from rows a day. */
export const FROM_CALLS: Statements = statements("calls", (name) => CALL_MEASURES[name]);
export const FROM_DAYS: Statements = statements("days", (name) => `sum(${name})`);

function statements(table: string, sum: (name: keyof PeerSums) => string): Statements {
  const where = `from ${table} where "user" = ? and day >= ? and day < ?`;
  const list = PEER_MEASURES.map((name) => `cast(${sum(name)} as double) as "${name}"`).join(", ");
  return {
    days: `select day, ${list} ${where} group by day`,
    models: `select model, cast(${sum("calls")} as double) as calls ${where} group by model`,
  };
}
