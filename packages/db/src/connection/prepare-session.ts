import { type ClientBase } from "pg";
import { ConnectionRefusal } from "./connection-refusal.ts";
import { sqlStateOf } from "./sqlstate.ts";
import { type SessionSettings } from "./session-options.ts";

export type SessionNeeds = {
  settings: SessionSettings;
  /** Refuse a server that takes no writes. */
  mustWrite: boolean;
  /** In milliseconds; 0 for as long as it takes. */
  statementTimeoutMs: number;
  lockTimeoutMs: number;
  idleInTransactionTimeoutMs: number;
};

// What our statements mean and how their answers are read must not depend on what a database or a role was set to. Waits are
// bounded per pool: a limit meant for people at psql would end migrations and rolling up half way, every time.
const FIXED: SessionSettings = {
  datestyle: "ISO, YMD",
  intervalstyle: "postgres",
  timezone: "UTC",
  extra_float_digits: "1",
  standard_conforming_strings: "on",
  bytea_output: "hex",
  array_nulls: "on",
  transform_null_equals: "off",
  // Statements that must see more ask for it; a lone one would fail with serialization errors that nobody retries.
  default_transaction_isolation: "read committed",
  idle_session_timeout: "0",
};

// Compiling a statement, or starting workers for its thousand rows, takes longer than running any of ours. A statement ends soon
// after its connection was closed, for nobody waits for it. Ranking many users within the default 4 MB takes twice as long.
const FAST: SessionSettings = {
  jit: "off",
  max_parallel_workers_per_gather: "0",
  client_connection_check_interval: "250",
  work_mem: "64MB",
  random_page_cost: "1.1",
};

/**
 * Sets a new session up by one statement, not by startup parameters, most of which poolers refuse. What was acknowledged is on the
 * database's disk: `synchronous_commit` is raised where it is less, never lowered from what waits for replicas.
 */
export async function prepareSession(client: ClientBase, needs: SessionNeeds): Promise<void> {
  const { settings, mustWrite } = needs;
  const waits = {
    statement_timeout: String(needs.statementTimeoutMs),
    lock_timeout: String(needs.lockTimeoutMs),
    idle_in_transaction_session_timeout: String(needs.idleInTransactionTimeoutMs),
  };
  const all = { ...FIXED, ...FAST, ...settings, ...waits };
  const calls = Object.entries(all).map(
    ([name, value]) => `set_config(${client.escapeLiteral(name)}, ${client.escapeLiteral(value)}, false)`,
  );
  const { rows } = await client
    .query<{ read_only: string }>(
      `select ${calls.join(", ")},
              case when current_setting('transaction_timeout', true) is not null
                   then set_config('transaction_timeout', '0', false) end,
              case when current_setting('synchronous_commit') in ('off', 'local')
                   then set_config('synchronous_commit', 'on', false) end,
              current_setting('transaction_read_only') as read_only`,
    )
    .catch((error: unknown) => {
      throw connectionRefusalOf(error, settings);
    });
  if (mustWrite && rows[0]!.read_only === "on") {
    throw new Error("the server takes no writes, and target_session_attrs asks for one that does");
  }
}

// No such setting, a wrong value, not allowed, only at the server's start.
const ABOUT_SETTINGS = /^(42704|22...|42501|55P02)$/;

function connectionRefusalOf(error: unknown, settings: SessionSettings): unknown {
  if (!(error instanceof Error) || !ABOUT_SETTINGS.test(sqlStateOf(error) ?? "")) return error;
  const given = Object.keys(settings).join(", ");
  const whose =
    given === "" ? "A session cannot be set up" : `DATABASE_URL's options (${given}) cannot be set`;
  return new ConnectionRefusal(`${whose}: ${error.message}.`, { cause: error });
}
