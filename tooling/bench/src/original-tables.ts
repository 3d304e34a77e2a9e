import { type Pool } from "pg";
import { USERS } from "./history.ts";

/**
 * The tables of the way that this replaces, as it was and as its fix was asked for. Raw calls of the last months with the
 * original's one index on them; and one JSON row for every hour of the users asked about, hours without calls too, because
 * a missing row means "not computed yet". The JSON is kept twice: with sums by type and model, which is all that an answer
 * needs, and `_by_type` only, as the original's code has it, which then takes the models from raw calls.
 */
export async function createOriginalTables(pool: Pool, from: Date, to: Date): Promise<void> {
  const range = [from.toISOString(), to.toISOString()];
  await pool.query(`create table original_model_calls (like model_calls including defaults)`);
  await pool.query(
    `insert into original_model_calls select * from model_calls where call_time >= $1 and call_time < $2`,
    range,
  );
  await pool.query(`create index on original_model_calls (user_did, call_time)`);
  for (const table of ["original_hourly_stats", "original_hourly_stats_by_type"])
    await pool.query(`
      create table ${table} (
        user_did text not null, time_type text not null, timestamp timestamptz not null, stats jsonb not null,
        primary key (user_did, time_type, timestamp)
      )`);
  await pool.query(FILL_HOURS, [...range, [USERS.big, USERS.median]]);
  await pool.query(`insert into original_hourly_stats_by_type
    select user_did, time_type, timestamp, stats - 'models' from original_hourly_stats`);
  await pool.query(
    "vacuum analyze original_model_calls, original_hourly_stats, original_hourly_stats_by_type",
  );
}

/** Copies one more user's calls, of whom no hour is stored. */
export async function copyToOriginal(pool: Pool, userDid: string): Promise<void> {
  await pool.query("insert into original_model_calls select * from model_calls where user_did = $1", [
    userDid,
  ]);
}

const SUMS = `
  jsonb_build_object('totalUsage', sum(usage), 'totalCredits', sum(credits), 'totalCalls', sum(calls), 'successCalls', sum(successes))`;

/** One hour holds what the answer is made of: sums by type and by model. */
const FILL_HOURS = `
  with sums as materialized (
    select user_did, date_trunc('hour', call_time, 'UTC') as timestamp, type, provider_id, model,
           coalesce(sum(total_usage), 0) as usage, sum(credits) as credits, count(*) as calls,
           count(*) filter (where status = 'success') as successes
      from model_calls where user_did = any($3) and call_time >= $1 and call_time < $2
     group by 1, 2, 3, 4, 5),
  types as (
    select user_did, timestamp, jsonb_object_agg(type, sums) as by_type
      from (select user_did, timestamp, type, ${SUMS} as sums from sums group by 1, 2, 3) as one group by 1, 2),
  models as (
    select user_did, timestamp, jsonb_agg(sums || jsonb_build_object('providerId', provider_id, 'model', model)) as models
      from (select user_did, timestamp, provider_id, model, ${SUMS} as sums from sums group by 1, 2, 3, 4) as one group by 1, 2)
  insert into original_hourly_stats
  select user_did, 'hour', timestamp, jsonb_build_object('byType', coalesce(by_type, '{}'), 'models', coalesce(models, '[]'))
    from unnest($3::text[]) as user_did
    cross join generate_series($1::timestamptz, $2::timestamptz - interval '1 hour', '1 hour') as timestamp
    left join types using (user_did, timestamp) left join models using (user_did, timestamp)`;
