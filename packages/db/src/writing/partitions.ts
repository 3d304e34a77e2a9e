import { type CallChange } from "@usage-stats/core";
import { FINE } from "../layout/time-types.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { type SqlSession, sessionOf } from "../connection/session.ts";
import { sqlStateOf } from "../connection/sqlstate.ts";
import { type Database } from "../database.ts";
import { instants } from "../reading/instant-sql.ts";
import { isFrozen } from "../rolling/frozen-quarters.ts";

/** Makes monthly partitions of `model_calls` before they are needed. */
export type Partitions = {
  /**
   * Makes the partitions that calls fall into, where they are missing; commits on its own. Gives the places of those changes that
   * cannot be made any more: what their quarter was rolled up to is kept, and its calls are not, or their month was detached.
   */
  ensure(session: SqlSession, changes: readonly CallChange[]): Promise<Set<number>>;
  /** Forgets which partitions exist, after one turned out to be gone. */
  forget(): void;
};

// What `ensure_model_calls_partition` says of a month that was detached.
const DETACHED = "55000";

export function createPartitions(): Partitions {
  /** Months that have a partition and nothing that is frozen. */
  const known = new Set<string>();

  return {
    async ensure(session, changes) {
      const asked = changes.flatMap((change, index) => {
        const month = monthOf(change.callTime);
        return known.has(month) ? [] : [{ index, month, change }];
      });
      if (asked.length === 0) return new Set();
      const notKept = new Set(await findFrozen(session, asked));
      const writable = asked.filter(({ index, change }) => !notKept.has(index) && !("void" in change));
      const months = new Set(writable.map(({ month }) => month));
      for (const month of months) {
        if (await ensurePartition(session, month)) continue;
        for (const one of asked) if (one.month === month) notKept.add(one.index);
        months.delete(month);
      }
      for (const index of await findUncovered(session, writable)) notKept.add(index);
      for (const month of await findPlain(session, months)) known.add(month);
      return notKept;
    },
    forget: () => known.clear(),
  };
}

/** Makes the partitions of this month and the `ahead` next ones, so that writers other than this server find them too. */
export async function ensurePartitionsAhead(orm: Database, now: Date, ahead = 3): Promise<void> {
  const session = sessionOf(orm.em.fork());
  for (let i = 0; i <= ahead; i += 1) {
    const month = monthOf(new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + i)));
    if (await ensurePartition(session, month)) continue;
    process.emitWarning(
      `The month ${month} was detached from model_calls: its calls are rejected. Attach it again, or rename its table.`,
    );
  }
}

type Asked = { index: number; month: string; change: CallChange };

/** Makes a partition; says whether there is one. */
async function ensurePartition(session: SqlSession, month: string): Promise<boolean> {
  try {
    await session.execute(sql`select ensure_model_calls_partition(${startOf(month)}::timestamptz)`);
    return true;
  } catch (error) {
    if (sqlStateOf(error) === DETACHED) return false;
    throw error;
  }
}

/** Those whose quarter was rolled up before its calls were dropped. */
function findFrozen(session: SqlSession, asked: Asked[]): Promise<number[]> {
  return findIndexes(
    session,
    asked,
    sql`(${isFrozen("input.user_did", "input.quarter")}
      or not exists (select from partitions where lower_bound < date_trunc('month', input.month + interval '40 days', 'UTC') and upper_bound > input.month))
     and exists (select from model_call_stats as fine
                  where fine.user_id = (select id from model_call_users where did = input.user_did) and time_type in ${raw(FINE)}
                    and slice = slice_of(input.user_did) and timestamp = quarter_number(input.quarter))`,
  );
}

/** Those that no partition holds, although their month has one. */
function findUncovered(session: SqlSession, asked: Asked[]): Promise<number[]> {
  return findIndexes(
    session,
    asked,
    sql`not exists (select from partitions where lower_bound <= input.call_time and upper_bound > input.call_time)`,
  );
}

async function findIndexes(session: SqlSession, asked: Asked[], condition: Sql): Promise<number[]> {
  if (asked.length === 0) return [];
  const users = asked.map(({ change }) => change.userDid);
  const times = instants(asked.map(({ change }) => change.callTime));
  const rows = await session.execute<{ place: string }>(sql`
    with partitions as materialized (select * from model_calls_partitions())
     select place from (
       select *, quarter_of(call_time) as quarter, date_trunc('month', call_time, 'UTC') as month
         from unnest(${users}::text[], ${times}::timestamptz[]) with ordinality as asked(user_did, call_time, place)) as input
      where ${condition}`);
  return rows.map(({ place }) => asked[Number(place) - 1]!.index);
}

/** Those of some months in which nothing was ever frozen. */
async function findPlain(session: SqlSession, months: ReadonlySet<string>): Promise<string[]> {
  const starts = [...months];
  if (starts.length === 0) return [];
  const rows = await session.execute<{ place: string }>(sql`
    select place from unnest(${starts.map(startOf)}::timestamptz[]) with ordinality as asked(month, place)
      where not exists (select from model_call_frozen_months as frozen where frozen.month = asked.month)`);
  return rows.map(({ place }) => starts[Number(place) - 1]!);
}

function monthOf(time: Date): string {
  return time.toISOString().slice(0, 7);
}

function startOf(month: string): string {
  return `${month}-01T00:00:00Z`;
}
