import sql from "sql-template-tag";
import { ALL_COLUMNS, IDENTITY_COLUMNS, namesOf } from "./model-call-columns.ts";

export const ALL_NAMES = namesOf(ALL_COLUMNS);
export const IDENTITY_NAMES = namesOf(IDENTITY_COLUMNS);

/**
 * Adds the calls of `input` that are not there yet, which is nearly always all of them: that needs no look at what a call replaces.
 * `counted` is how many were `sent` and `added`; `remaining` are those that were not, and is not even looked for where there are none.
 *
 * Identities are sorted, so that two writers of the same calls lock them in the same order: they wait, they never deadlock. Whatever
 * else a statement writes, it must write after this: then nobody who waits to add a call holds one that was there before.
 */
export const ADD_FIRST = sql`
  added as (
  insert into model_calls (${ALL_NAMES})
  select * from input order by ${IDENTITY_NAMES}
  on conflict (${IDENTITY_NAMES}) do nothing
  returning ${IDENTITY_NAMES}),
  counted as (select (select count(*) from input) as sent, count(*) as added from added),
  remaining as (
  select * from input
   where (select added < sent from counted) and (${IDENTITY_NAMES}) not in (select ${IDENTITY_NAMES} from added))`;
