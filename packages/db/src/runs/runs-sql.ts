import { type RunUsageQuery } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { andMatches } from "../reading/filter-sql.ts";
import { STORED_OF_CALL, SUMMED_STORED } from "../layout/stored-measures.ts";

/**
 * Builds the statement that adds up a run's tree or a conversation: a row for each run, of its own calls, in the order in which they
 * began; calls that name no run are told apart by what began them. No more than one run too many is looked for.
 */
export function runsSql({ userDid, filter, of, most }: RunUsageQuery & { most: number }): Sql {
  const counting = sql`user_did = ${userDid} and voided_at is null${andMatches(filter)}`;
  const calls =
    "runId" in of
      ? callsOfTree(counting, of.runId, most + 1)
      : sql`calls as (select * from model_calls where ${counting} and conversation_id = ${of.conversationId})`;
  return sql`
    with recursive ${calls},
    own as (
      select run_id, parent_run_id, call_time, id, ${raw(STORED_OF_CALL)} from calls)
    select run_id,
           (array_agg(parent_run_id order by call_time, id collate "C") filter (where parent_run_id is not null))[1] as parent_run_id,
           ${raw(SUMMED_STORED)}
      from own
     group by run_id, case when run_id is null then parent_run_id end
     order by min(call_time), run_id collate "C", 2
     limit ${2 * (most + 1)}`;
}

/**
 * The calls of a run and of all that it began. `union` takes each run once, so that a circle ends; runs are looked for only until there are
 * enough. OFFSET 0 has each looked up by its index.
 */
function callsOfTree(counting: Sql, runId: string, enough: number): Sql {
  return sql`tree as (
      select ${runId}::text as run_id
      union
      select child.run_id
        from tree cross join lateral (
          select run_id from model_calls
           where ${counting} and parent_run_id = tree.run_id and run_id is not null offset 0) as child),
    runs as materialized (select run_id from tree limit ${enough}),
    calls as (
      select calls.*
        from runs cross join lateral (
          select * from model_calls where ${counting} and run_id = runs.run_id
          union all
          select * from model_calls where ${counting} and parent_run_id = runs.run_id and run_id is null offset 0) as calls)`;
}
