import { inOwnSchema } from "./20261125000001-own-schema.ts";
import { OnlineMigration } from "./online-migration.ts";

/**
 * Advisory locks by which writers say, shared, in which quarter they rely on others' entries ("qrtr" in ASCII); the second key counts quarters
 * since 1970. Whoever has one exclusively knows that nobody does.
 */
const RELYING = 1_903_326_322;

/**
 * One trigger function logs and announces; of an open quarter a user has one entry, whoever writes
 * (docs/decisions/0031-one-entry-for-an-open-quarter.md). The log is vacuumed by how much was rolled up, not by how much is left.
 */
export class OneEntry extends OnlineMigration {
  override async up(): Promise<void> {
    await this.briefly([
      NOBODY_WRITES,
      // A row is gone when its statement is done: what counts is the trigger that waits for the commit.
      `create unlogged table if not exists model_call_commit_checks (users text[] not null, open_until timestamptz not null)
         with (toast_tuple_target = 8160, vacuum_truncate = off,
               autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0)`,
      grantToWriters("select", "model_call_changes"),
      grantToWriters("select, insert, delete", "model_call_commit_checks"),
      ANNOUNCE_ONCE,
      `create or replace function announce_at_commit() returns trigger language plpgsql as $$
      begin
        if new.open_until <= clock_timestamp() then
          execute format('select %I.announce_changes($1)', tg_table_schema) using new.users;
        end if;
        return null;
      end $$`,
      `drop trigger if exists announce_at_commit on model_call_commit_checks`,
      `create constraint trigger announce_at_commit after insert on model_call_commit_checks deferrable initially deferred
        for each row execute function announce_at_commit()`,
      `create or replace function quarters_relied_on() returns setof timestamptz language sql as $$
        select to_timestamp(objid::bigint * 900) from pg_catalog.pg_locks
         where locktype = 'advisory' and classid = ${RELYING} and objsubid = 2 and mode = 'ShareLock'
           and database = (select oid from pg_catalog.pg_database where datname = current_database()) $$`,
      `create or replace function keep_entries_relied_on() returns trigger language plpgsql as $$
      begin
        insert into model_call_changes
          select distinct user_did, quarter from old_changes where user_did <> '' and quarter in (select quarters_relied_on());
        return null;
      end $$`,
      inOwnSchema("keep_entries_relied_on()"),
      `drop trigger if exists keep_relied_on on model_call_changes`,
      `create trigger keep_relied_on after delete on model_call_changes referencing old table as old_changes
        for each statement execute function keep_entries_relied_on()`,
      LOG_AND_ANNOUNCE,
      inOwnSchema("log_model_call_changes()"),
      // Plans are kept for as long as the connection, and the log may have been empty when they were made.
      `alter function log_model_call_changes() set enable_seqscan = off`,
      `alter function log_model_call_changes() set plan_cache_mode = force_generic_plan`,
      noticeMissingMonths(true),
      ...BOUND_NOTICE,
      ...DROP_OLD_ANNOUNCERS,
      `alter table model_call_changes set (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0)`,
    ]);
  }

  override async down(): Promise<void> {
    await this.briefly([
      NOBODY_WRITES,
      `alter table model_call_changes reset (autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)`,
      noticeMissingMonths(false),
      ...BOUND_NOTICE,
      LOG_ONLY,
      inOwnSchema("log_model_call_changes()"),
      ANNOUNCE_STATEMENT,
      inOwnSchema("announce_changes(text[])"),
      ...MAKE_OLD_ANNOUNCERS,
      `drop trigger if exists keep_relied_on on model_call_changes`,
      `drop function if exists keep_entries_relied_on()`,
      `drop function if exists quarters_relied_on()`,
      `drop table if exists model_call_commit_checks`,
      `drop function if exists announce_at_commit()`,
    ]);
  }
}

// Whoever began to write with the one set of triggers ends with it.
const NOBODY_WRITES = `lock table model_calls in share row exclusive mode`;

/** Lets whoever may write the log do what writing it takes from now on: triggers have the rights of whoever fires them. */
function grantToWriters(rights: string, table: string): string {
  return `do $$ declare writer record; begin
      for writer in select distinct grantee from pg_class cross join lateral aclexplode(relacl)
                     where oid = 'model_call_changes'::regclass and privilege_type = 'INSERT' and grantee <> relowner loop
        execute format('grant ${rights} on ${table} to %s', case when writer.grantee = 0 then 'public' else writer.grantee::regrole::text end);
      end loop;
    end $$`;
}

// Of one transaction at most a hundred users are named; then whoever listens is told that it may be anybody.
const ANNOUNCE_ONCE = `
  create or replace function announce_changes(users text[]) returns void language plpgsql as $$
  declare
    told text[] := coalesce(nullif(current_setting('usage_stats.told', true), ''), '{}')::text[];
    untold text[] := users;
    user_did text;
    nothing text;
  begin
    if '' = any(told) then return; end if;
    if told <> '{}' then untold := array(select unnest(users) except select unnest(told)); end if;
    if cardinality(told) + cardinality(untold) > 100 then untold := '{""}'; end if;
    -- An assignment takes less than a statement.
    foreach user_did in array untold loop nothing := pg_notify('usage_stats_changes', user_did); end loop;
    nothing := set_config('usage_stats.told', (told || untold)::text, true);
  end $$`;

/** Logs what changed, announces whose quarter is over, and has the others looked at again at the commit. */
const LOG_AND_ANNOUNCE = `
  create or replace function log_model_call_changes() returns trigger language plpgsql as $$
  declare
    this_quarter timestamptz := quarter_of(clock_timestamp());
    relies boolean;
    late text[];
    early text[];
    open_until timestamptz;
    check_row tid;
    nothing text;
  begin
    if tg_op = 'UPDATE' then
      -- An INSERT with DO UPDATE fires this, too.
      perform from new_calls limit 1;
      if not found then return null; end if;
    end if;
    -- Whoever deletes entries looks for this lock afterwards, and here entries that are being deleted are looked for after it was taken:
    -- the one sees the other. Nobody waits. To whoever is serializable, having read the log would be a conflict.
    relies := current_setting('transaction_isolation') <> 'serializable'
      and pg_try_advisory_xact_lock_shared(${RELYING}, (extract(epoch from this_quarter) / 900)::int);
    if tg_op = 'INSERT' then
      ${logFrom("select distinct user_did, quarter_of(call_time) as quarter from new_calls")}
    elsif tg_op = 'DELETE' then
      ${logFrom("select distinct user_did, quarter_of(call_time) as quarter from old_calls")}
    else
      ${logFrom("select user_did, quarter_of(call_time) as quarter from old_calls union select user_did, quarter_of(call_time) from new_calls")}
    end if;
    if late is not null then nothing := announce_changes(late); end if;
    if early is not null then
      if cardinality(early) > 100 then early := '{""}'; end if;
      insert into model_call_commit_checks values (early, open_until) returning ctid into check_row;
      delete from model_call_commit_checks where ctid = check_row;
    end if;
    return null;
  end $$`;

function logFrom(changes: string): string {
  return `
      with changed as materialized (${changes}),
      logged as (
        insert into model_call_changes
        select user_did, quarter from changed
         where quarter <> this_quarter or not relies
            or not exists (select from model_call_changes as known
                            where known.user_did = changed.user_did and known.quarter = this_quarter and known.xmax = 0 offset 0))
      select array_agg(distinct user_did) filter (where quarter < this_quarter), array_agg(distinct user_did) filter (where quarter >= this_quarter),
             min(quarter) filter (where quarter >= this_quarter) + interval '15 minutes'
        into late, early, open_until from changed;`;
}

/** As it was made for frozen quarters. Announcing was left to a trigger on the log then. */
function noticeMissingMonths(announces: boolean): string {
  const log = announces
    ? `,
               logged as (insert into model_call_changes select user_did, quarter from quarters)
             select announce_changes(array(select distinct user_did from quarters limit 101))`
    : `
             insert into model_call_changes select user_did, quarter from quarters`;
  return `
      create or replace function notice_missing_months() returns void language plpgsql as $$
      declare
        this_month timestamptz;
        attached regclass;
      begin
        for this_month in
          with recursive months as (
            select date_trunc('month', min(timestamp), 'UTC') as month from model_call_stats where time_type = 'quarter'
            union all
            select date_trunc('month', (select min(timestamp) from model_call_stats
                    where time_type = 'quarter' and timestamp >= date_trunc('month', month + interval '40 days', 'UTC')), 'UTC')
              from months where month is not null),
          partitions as materialized (select * from model_calls_partitions())
          select month from months
           where month is not null
             and not exists (select from partitions where lower_bound < date_trunc('month', month + interval '40 days', 'UTC') and upper_bound > month)
             and (not exists (select from model_call_frozen_months as frozen where frozen.month = months.month)
                  or exists (select from model_call_reopened_quarters
                              where quarter >= month and quarter < date_trunc('month', month + interval '40 days', 'UTC')))
        loop
          perform freeze_month(this_month);
        end loop;
        -- A partition without a guard was attached by hand: where it has calls, they count again.
        for attached, this_month in
          select partition, month from model_call_frozen_months cross join lateral (
            select partition from model_calls_partitions()
             where lower_bound < date_trunc('month', month + interval '40 days', 'UTC') and upper_bound > month
               and not guards_frozen_quarters(partition)) as partitions
        loop
          perform guard_partition(attached);
          execute format(
            'with quarters as (
               select distinct user_did, quarter_of(call_time) as quarter from %s where call_time >= %L and call_time < %L),
             reopened as (
               insert into model_call_reopened_quarters (user_did, quarter) select user_did, quarter from quarters on conflict do nothing)${log}',
            attached, this_month, date_trunc('month', this_month + interval '40 days', 'UTC'));
        end loop;
      end $$`;
}

const BOUND_NOTICE = [
  inOwnSchema("notice_missing_months()"),
  `alter function notice_missing_months() set datestyle = 'ISO, YMD'`,
  `alter function notice_missing_months() set timezone = 'UTC'`,
];

const DROP_OLD_ANNOUNCERS = [
  `drop trigger if exists announce_insert on model_call_changes`,
  `drop trigger if exists announce_at_commit on model_call_changes`,
  `drop function if exists announce_model_call_changes()`,
  `drop function if exists announce_change_at_commit()`,
];

const LOG_ONLY = `
  create or replace function log_model_call_changes() returns trigger language plpgsql as $$
  begin
    if tg_op = 'INSERT' then
      insert into model_call_changes select distinct user_did, quarter_of(call_time) from new_calls;
    elsif tg_op = 'DELETE' then
      insert into model_call_changes select distinct user_did, quarter_of(call_time) from old_calls;
    else
      insert into model_call_changes
        select user_did, quarter_of(call_time) from old_calls union select user_did, quarter_of(call_time) from new_calls;
    end if;
    return null;
  end $$`;

const ANNOUNCE_STATEMENT = `
  create or replace function announce_changes(users text[]) returns void language plpgsql as $$
  begin
    if cardinality(users) > 100 then
      perform pg_notify('usage_stats_changes', '');
    else
      perform pg_notify('usage_stats_changes', user_did) from unnest(users) as user_did;
    end if;
  end $$`;

const MAKE_OLD_ANNOUNCERS = [
  `create or replace function announce_model_call_changes() returns trigger language plpgsql as $$
    begin
      perform announce_changes(array(
        select distinct user_did from new_changes
         where user_did <> '' and quarter < quarter_of(clock_timestamp()) limit 101));
      return null;
    end $$`,
  inOwnSchema("announce_model_call_changes()"),
  `create or replace function announce_change_at_commit() returns trigger language plpgsql as $$
    declare
      told int := coalesce(nullif(current_setting('usage_stats.announced', true), ''), '0');
    begin
      if new.quarter + interval '15 minutes' <= clock_timestamp() and told <= 100 then
        perform set_config('usage_stats.announced', (told + 1)::text, true);
        perform pg_notify('usage_stats_changes', case when told < 100 then new.user_did else '' end);
      end if;
      return null;
    end $$`,
  `drop trigger if exists announce_insert on model_call_changes`,
  `create trigger announce_insert after insert on model_call_changes referencing new table as new_changes
    for each statement execute function announce_model_call_changes()`,
  `drop trigger if exists announce_at_commit on model_call_changes`,
  `create constraint trigger announce_at_commit after insert on model_call_changes deferrable initially deferred
    for each row when (new.user_did <> '' and new.quarter >= quarter_of(clock_timestamp()))
    execute function announce_change_at_commit()`,
];
