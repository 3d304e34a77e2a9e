import { inOwnSchema } from "../20261125000001-own-schema.ts";

/** How the database's functions find out what was rolled up, of the new rollups or of the old. */
type Rollups = {
  /** Goes through the months that have rollups, as a recursive query called `months` of the column `month`. */
  months: string;
  /** Says whether the month from `month` on has rollups of users. */
  hasMonth: string;
  /** Says whether the quarter of the new call has a rollup of its user. */
  hasQuarter: string;
};

const MONTH_END = "date_trunc('month', month + interval '40 days', 'UTC')";

const NEW: Rollups = {
  months: `
            select rolled_up_month(-2147483648) as month
            union all
            select rolled_up_month(quarter_number(${MONTH_END})) from months where month is not null`,
  hasMonth: `rolled_up_month(quarter_number(month)) = month`,
  hasQuarter: `has_rollup(new.user_did, new_quarter)`,
};

const OLD: Rollups = {
  months: `
            select date_trunc('month', min(timestamp), 'UTC') as month from model_call_stats where time_type = 'quarter'
            union all
            select date_trunc('month', (select min(timestamp) from model_call_stats
                    where time_type = 'quarter' and timestamp >= ${MONTH_END}), 'UTC')
              from months where month is not null`,
  hasMonth: `exists (select from model_call_stats where time_type = 'quarter' and user_did <> '' and timestamp >= month
                      and timestamp < ${MONTH_END})`,
  hasQuarter: `exists (select from model_call_stats where user_did = new.user_did and time_type = 'quarter' and timestamp = new_quarter)`,
};

/** Has the database's functions ask the new rollups. */
export const USE_NEW_ROLLUPS = [
  // All users together have a row of each day on which one of them has any. One look into the index for each slice.
  `create or replace function rolled_up_month(since int) returns timestamptz language sql stable as $$
    select date_trunc('month', quarter_start(min(first.timestamp)), 'UTC')
      from model_call_slices as slices cross join lateral (
        select timestamp from model_call_stats
         where user_id = 0 and time_type = 5 and slice = slices.slice and timestamp >= since order by timestamp limit 1) as first $$`,
  `create or replace function has_rollup(whose text, at_quarter timestamptz) returns boolean language sql stable as $$
    select exists (select from model_call_stats
                    where user_id = (select id from model_call_users where did = whose) and time_type in (0, 1, 2)
                      and slice = slice_of(whose) and timestamp = quarter_number(at_quarter)) $$`,
  inOwnSchema("rolled_up_month(int)"),
  inOwnSchema("has_rollup(text, timestamptz)"),
  ...functionsOver(NEW),
];

/** Has them ask the old ones again. */
export const USE_OLD_ROLLUPS = [
  ...functionsOver(OLD),
  `drop function if exists rolled_up_month(int)`,
  `drop function if exists has_rollup(text, timestamptz)`,
];

/** The functions of frozen quarters (docs/decisions/0014-frozen-quarters.md), as they were made before but for whom they ask. */
function functionsOver({ months, hasMonth, hasQuarter }: Rollups): string[] {
  return [
    noticeMissingMonths(months),
    guardFrozenQuarters(hasQuarter),
    ensurePartition(hasMonth),
    ...[
      "notice_missing_months()",
      "guard_frozen_quarters()",
      "ensure_model_calls_partition(timestamptz)",
    ].map(inOwnSchema),
    // What they write times into is read again as the session writes them.
    ...["notice_missing_months()", "ensure_model_calls_partition(timestamptz)"].flatMap((name) => [
      `alter function ${name} set datestyle = 'ISO, YMD'`,
      `alter function ${name} set timezone = 'UTC'`,
    ]),
  ];
}

function noticeMissingMonths(months: string): string {
  return `
      create or replace function notice_missing_months() returns void language plpgsql as $$
      declare
        this_month timestamptz;
        attached regclass;
      begin
        for this_month in
          with recursive months as (${months}),
          partitions as materialized (select * from model_calls_partitions())
          select month from months
           where month is not null
             and not exists (select from partitions where lower_bound < ${MONTH_END} and upper_bound > month)
             and (not exists (select from model_call_frozen_months as frozen where frozen.month = months.month)
                  or exists (select from model_call_reopened_quarters where quarter >= month and quarter < ${MONTH_END}))
        loop
          perform freeze_month(this_month);
        end loop;
        -- A partition without a guard was attached by hand: where it has calls, they count again.
        for attached, this_month in
          select partition, month from model_call_frozen_months cross join lateral (
            select partition from model_calls_partitions()
             where lower_bound < ${MONTH_END} and upper_bound > month
               and not guards_frozen_quarters(partition)) as partitions
        loop
          perform guard_partition(attached);
          execute format(
            'with quarters as (
               select distinct user_did, quarter_of(call_time) as quarter from %s where call_time >= %L and call_time < %L),
             reopened as (
               insert into model_call_reopened_quarters (user_did, quarter) select user_did, quarter from quarters on conflict do nothing),
               logged as (insert into model_call_changes select user_did, quarter from quarters)
             select announce_changes(array(select distinct user_did from quarters limit 101))',
            attached, this_month, date_trunc('month', this_month + interval '40 days', 'UTC'));
        end loop;
      end $$`;
}

function guardFrozenQuarters(hasQuarter: string): string {
  return `
      create or replace function guard_frozen_quarters() returns trigger language plpgsql as $$
      declare
        new_quarter timestamptz := quarter_of(new.call_time);
      begin
        if is_frozen(new.user_did, new_quarter) then
          if ${hasQuarter} then
            raise exception 'The calls of % at % were dropped, and what was rolled up of them stays as it is', new.user_did, new_quarter
              using errcode = 'check_violation', schema = tg_table_schema, table = tg_table_name, constraint = 'model_calls_frozen_check';
          end if;
          insert into model_call_reopened_quarters values (new.user_did, new_quarter) on conflict do nothing;
        end if;
        return new;
      end $$`;
}

function ensurePartition(hasMonth: string): string {
  return `
    create or replace function ensure_model_calls_partition(any_time timestamptz) returns text language plpgsql as $$
    declare
      month timestamptz := date_trunc('month', any_time, 'UTC');
      partition_name text := 'model_calls_' || to_char(month at time zone 'UTC', 'YYYY_MM');
    begin
      if not has_model_calls_partition(month) then
        perform pg_advisory_xact_lock(hashtextextended(current_schema() || '.' || partition_name, 0));
        if not has_model_calls_partition(month) then
          while to_regclass(quote_ident(partition_name)) is not null loop
            if exists (select from pg_trigger where tgrelid = quote_ident(partition_name)::regclass and tgname = 'log_insert') then
              raise exception '% was detached from model_calls', partition_name
                using errcode = 'object_not_in_prerequisite_state', table = partition_name,
                      hint = 'Attach it again to record calls of that month, or rename it.';
            end if;
            partition_name := partition_name || '_';
          end loop;
          execute format('create table %I (like model_calls including defaults including constraints)', partition_name);
          perform add_model_calls_triggers(quote_ident(partition_name)::regclass);
          if ${hasMonth} then
            perform freeze_month(month);
            perform guard_partition(quote_ident(partition_name)::regclass);
          end if;
          execute format(
            'alter table model_calls attach partition %I for values from (%L) to (%L)',
            partition_name, month, ${MONTH_END});
        end if;
      end if;
      return partition_name;
    end $$`;
}
