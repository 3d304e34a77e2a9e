import { inOwnSchema } from "../20261125000001-own-schema.ts";

/** What says how far the upgrade is. One row; `week` is where to look for the next to copy, and null once all are. */
export const PROGRESS = "model_call_upgrade";

/** Weeks of users of which something was rolled up anew after the upgrade began: an entry for each time. */
export const CAUGHT = "model_call_upgrade_caught";

/** Weeks of users that are being copied again. */
export const TAKEN = "model_call_upgrade_taken";

/** The rows that are being copied. */
export const ROWS = "model_call_upgrade_rows";

/** Weeks of which all users together are not the sum of the users. */
export const STALE = "model_call_upgrade_stale";

/** Quarters of users that are too large to be added up, and so are left to their calls. */
export const TOO_LARGE = "model_call_upgrade_too_large";

/** Makes what an upgrade needs while it is under way, and nobody after it. */
export const MAKE_HELPERS = [
  `create table ${PROGRESS} (week int, first_week int, last_week int, piece int not null default 0, pieces int not null default 1)`,
  `create table ${CAUGHT} (user_did text not null, week int not null)`,
  `create index ${CAUGHT}_week on ${CAUGHT} (week, user_did)`,
  // These hold something for the length of a transaction.
  `create unlogged table ${TAKEN} (user_did text not null, week int not null)`,
  `create unlogged table ${ROWS} (
     user_did text not null, timestamp int not null, type smallint not null, provider_id text not null, model text not null,
     app_did text not null, status text not null, calls bigint not null, success_calls bigint not null, failed_calls bigint not null,
     input_tokens bigint not null, output_tokens bigint not null, cached_input_tokens bigint not null, cache_write_tokens bigint not null,
     reasoning_tokens bigint not null, unpriced_calls bigint not null, total_usage bigint not null,
     duration_ms_sum bigint not null, duration_ms_count bigint not null, ttfb_ms_sum bigint not null, ttfb_ms_count bigint not null,
     credits numeric not null)`,
  `create table ${STALE} (week int not null)`,
  `create table ${TOO_LARGE} (user_did text not null, timestamp int not null)`,
  // Whoever rolls up may have no rights on what is caught.
  `create function catch_rollups() returns trigger language plpgsql security definer as $$
  begin
    if tg_op <> 'INSERT' then
      insert into ${CAUGHT} select distinct user_did, week_start(quarter_number(timestamp)) from old_rows where time_type = 'quarter' and user_did <> '';
    end if;
    if tg_op <> 'DELETE' then
      insert into ${CAUGHT} select distinct user_did, week_start(quarter_number(timestamp)) from new_rows where time_type = 'quarter' and user_did <> '';
    end if;
    return null;
  end $$`,
  inOwnSchema("catch_rollups()"),
  `create function refuse_truncate_meanwhile() returns trigger language plpgsql as $$
  begin
    raise exception '% cannot be truncated while it is being upgraded. Use DELETE.', tg_table_name;
  end $$`,
  // Whoever has begun to roll up ends first: what they changed is seen by whoever copies.
  `create trigger catch_insert after insert on model_call_detail_stats referencing new table as new_rows
     for each statement execute function catch_rollups()`,
  `create trigger catch_update after update on model_call_detail_stats referencing old table as old_rows new table as new_rows
     for each statement execute function catch_rollups()`,
  `create trigger catch_delete after delete on model_call_detail_stats referencing old table as old_rows
     for each statement execute function catch_rollups()`,
  `create trigger catch_truncate before truncate on model_call_detail_stats
     for each statement execute function refuse_truncate_meanwhile()`,
  `insert into ${PROGRESS} (week, first_week, last_week)
     select week_start(quarter_number(min(timestamp))), week_start(quarter_number(min(timestamp))), week_start(quarter_number(max(timestamp)))
       from model_call_detail_stats where time_type = 'quarter'`,
];

/** Drops it; the triggers went with the old rollups. */
export const DROP_HELPERS = [
  `drop table ${[PROGRESS, CAUGHT, TAKEN, ROWS, STALE, TOO_LARGE].join(", ")}`,
  `drop function catch_rollups(), refuse_truncate_meanwhile()`,
];
