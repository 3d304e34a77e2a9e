import { type ModelCall, type RecordOutcome, UsageStatsError } from "@usage-stats/core";
import sql, { raw } from "sql-template-tag";
import { prepareStatement } from "../connection/prepared-statement.ts";
import { type SqlSession } from "../connection/session.ts";
import { instant } from "../reading/instant-sql.ts";
import { ADD_FIRST, ALL_NAMES, IDENTITY_NAMES } from "./add-first-sql.ts";
import { findStillVoid } from "./find-void-calls.ts";
import { ALL_COLUMNS, CONTENT_COLUMNS, inputOf, isNewer, valuesOf } from "./model-call-columns.ts";
import { type IdentityRow, rowIdentity } from "./rounds.ts";

/** The database came to a write only when nobody waited for it any more, and did not do it. */
export class BegunTooLate extends UsageStatsError {
  constructor() {
    super("unavailable", "The database did not come to it in time. Try again shortly.");
  }
}

/** What bounds a statement that writes, in the database itself. */
export type StatementLimits = {
  /** The database does not begin with it later, by its own clock. */
  latest: Date | null;
  /** How long it waits for another's lock; `null` for as long as its session does. */
  lockTimeoutMs: number | null;
};

const REPLACED = raw(CONTENT_COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(", "));

// What was added is told by its number alone where nothing else happened, which is nearly always: naming it costs as much as
// a tenth of writing it.
// Whoever sent it may have given up while the database was frozen: it looks at its own clock when it begins.
const UPSERT = prepareStatement(sql`
  with begun as materialized (
  select coalesce(clock_timestamp() < ${null}::timestamptz, true) as in_time,
         set_config('lock_timeout', coalesce(${null}::text, current_setting('lock_timeout')), true)),
  input as materialized (select * from ${inputOf(ALL_COLUMNS)} where (select in_time from begun)),${ADD_FIRST},
  changed as (
  insert into model_calls as old (${ALL_NAMES})
  select * from remaining order by ${IDENTITY_NAMES}
  on conflict (${IDENTITY_NAMES}) do update
     set ${REPLACED},
         revision = old.revision + 1, updated_at = now()
   where old.voided_at is null and ${isNewer("excluded")}
  returning ${IDENTITY_NAMES}, revision),
  written as (select *, 0 as revision from added union all select * from changed)
  select user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision, counted.added, begun.in_time
    from begun cross join counted left join written on counted.added < counted.sent`);

type NamedRow = IdentityRow & { revision: number };
/** How many calls were added, beside one of them that is named, or beside none. */
type WrittenRow = { added: string; in_time: boolean } & (NamedRow | { id: null });

/** What writing did, by a call's identity; nothing where it is absent. */
export type Written = { get(identity: string): RecordOutcome | undefined };

export const ALL_ADDED: Written = { get: () => "added" };

/**
 * Writes calls, each once, inside the caller's transaction, and says what that did by their identities; of whatever is absent
 * nothing was changed. Their partitions must exist. A call starts at revision 0 and each correction adds one. Throws `BegunTooLate`, and
 * has written nothing, where the database begins after `latest`, by its own clock.
 */
export async function upsertModelCalls(
  session: SqlSession,
  calls: readonly ModelCall[],
  { latest, lockTimeoutMs }: StatementLimits = { latest: null, lockTimeoutMs: null },
): Promise<Written> {
  const limits = [latest && instant(latest), lockTimeoutMs && `${lockTimeoutMs}ms`];
  const statement = { ...UPSERT, values: [...limits, ...valuesOf(ALL_COLUMNS, calls)] };
  const rows = await session.execute<WrittenRow>(statement);
  const { in_time, added } = rows[0]!;
  if (!in_time) throw new BegunTooLate();
  if (Number(added) === calls.length) return ALL_ADDED;
  const outcomes = new Map<string, RecordOutcome>();
  for (const row of rows)
    if (row.id !== null) outcomes.set(rowIdentity(row), row.revision === 0 ? "added" : "corrected");
  // Outside a transaction, others may have voided meanwhile what was written here.
  for (const identity of await findStillVoid(session, calls))
    if (!outcomes.has(identity)) outcomes.set(identity, "stays_void");
  return outcomes;
}
