import { type ModelCall, type RecordOutcome, UsageStatsError } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";
import { instant } from "../reading/instant-sql.ts";
import {
  ALL_COLUMNS,
  CONTENT_COLUMNS,
  IDENTITY_COLUMNS,
  inputOf,
  isNewer,
  namesOf,
} from "./model-call-columns.ts";
import { identityOf, type IdentityRow, rowIdentity } from "./rounds.ts";
import { findStillVoid } from "./find-void-calls.ts";

/** The database came to a write only when nobody waited for it any more, and did not do it. */
export class BegunTooLate extends UsageStatsError {
  constructor() {
    super("unavailable", "The database did not come to it in time. Try again shortly.");
  }
}

// Identities are sorted, so that two writers of the same calls lock them in the same order: they wait, they never deadlock.
// What was added is told by its number alone where nothing else happened, which is nearly always: naming it costs as much as
// a tenth of writing it.
// Whoever sent it may have given up while the database was frozen: it looks at its own clock when it begins.
function upsertSql(calls: readonly ModelCall[], latest: Date | null): Sql {
  return sql`
  with begun as materialized (select coalesce(clock_timestamp() < ${latest && instant(latest)}::timestamptz, true) as in_time),
  written as (
  insert into model_calls as old (${ALL_NAMES})
  select * from ${inputOf(ALL_COLUMNS, calls)} where (select in_time from begun)
   order by ${IDENTITY_NAMES}
  on conflict (${IDENTITY_NAMES}) do update
     set ${REPLACED},
         revision = old.revision + 1, updated_at = now()
   where old.voided_at is null and ${IS_NEWER}
  returning user_did, id, call_time, revision),
  counted as (select count(*) as written from written)
  select user_did, id, (extract(epoch from call_time) * 1000)::bigint as time, revision, counted.written, begun.in_time
    from begun cross join counted left join written on revision > 0 or counted.written < ${calls.length}`;
}

const ALL_NAMES = namesOf(ALL_COLUMNS);
const IDENTITY_NAMES = namesOf(IDENTITY_COLUMNS);
const REPLACED = raw(CONTENT_COLUMNS.map(({ name }) => `${name} = excluded.${name}`).join(", "));
const IS_NEWER = isNewer("excluded");

type NamedRow = IdentityRow & { revision: number };
/** How many calls were written, beside one of them that is named, or beside none. */
type WrittenRow = { written: string; in_time: boolean } & (NamedRow | { id: null });

/**
 * Writes calls, each once, inside the caller's transaction, and says what that did by their identities; of whatever is absent
 * nothing was changed. Their partitions must exist. A call starts at revision 0 and each correction adds one. Throws `BegunTooLate`, and
 * has written nothing, where the database begins after `latest`, by its own clock.
 */
export async function upsertModelCalls(
  session: SqlSession,
  calls: readonly ModelCall[],
  latest: Date | null = null,
): Promise<Map<string, RecordOutcome>> {
  const rows = await session.execute<WrittenRow>(upsertSql(calls, latest));
  if (!rows[0]!.in_time) throw new BegunTooLate();
  const named = rows.filter(({ id }) => id !== null) as NamedRow[];
  const outcomes = new Map<string, RecordOutcome>();
  const isAllWritten = Number(rows[0]!.written) === calls.length;
  if (isAllWritten)
    for (const { userDid, id, callTime } of calls)
      outcomes.set(identityOf(userDid, id, callTime.getTime()), "added");
  for (const row of named) outcomes.set(rowIdentity(row), row.revision === 0 ? "added" : "corrected");
  if (isAllWritten) return outcomes;
  // Outside a transaction, others may have voided meanwhile what was written here.
  for (const identity of await findStillVoid(session, calls))
    if (!outcomes.has(identity)) outcomes.set(identity, "stays_void");
  return outcomes;
}
