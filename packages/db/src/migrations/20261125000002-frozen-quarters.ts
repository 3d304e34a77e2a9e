import { Migration } from "@mikro-orm/migrations";
import { inOwnSchema } from "./20261125000001-own-schema.ts";

/**
 * Months whose calls were dropped or detached after they were rolled up, and what keeps their rollups from being made anew of
 * nothing (docs/decisions/0014-frozen-quarters.md).
 */
export class FrozenQuarters extends Migration {
  override up(): void {
    this.addSql(`
      create table model_call_frozen_months (
        month timestamptz not null,
        noticed_at timestamptz not null default now(),
        constraint model_call_frozen_months_pkey primary key (month)
      )`);
    this.addSql(`
      create table model_call_reopened_quarters (
        user_did text not null,
        quarter timestamptz not null,
        constraint model_call_reopened_quarters_pkey primary key (quarter, user_did)
      )`);
    // A partition that bears a month's name is of that month. Others' bounds are read from their text, which is the session's way to write
    // times, and for which PostgreSQL 17 waits until nobody has the partition to themselves.
    this.addSql(`
      create function model_calls_partitions() returns table (partition regclass, lower_bound timestamptz, upper_bound timestamptz)
        language sql stable set datestyle = 'ISO, YMD' set timezone = 'UTC' as $$
        select inhrelid::regclass,
               case when month is not null then month
                    else coalesce((regexp_match(pg_get_expr(relpartbound, inhrelid), 'FROM \\(''([^'']+)''\\)'))[1]::timestamptz, '-infinity') end,
               case when month is not null then month + interval '1 month'
                    else coalesce((regexp_match(pg_get_expr(relpartbound, inhrelid), 'TO \\(''([^'']+)''\\)'))[1]::timestamptz, 'infinity') end
          from (select inhrelid, relpartbound, to_timestamp(substring(relname from '^model_calls_(\\d{4}_(?:0[1-9]|1[0-2]))_*$'), 'YYYY_MM') as month
                  from pg_inherits join pg_class on pg_class.oid = inhrelid
                 where inhparent = 'model_calls'::regclass and not inhdetachpending) as partitions $$`);
    this.addSql(`
      create function has_model_calls_partition(month timestamptz) returns boolean language sql stable as $$
        select exists (select from model_calls_partitions()
                        where lower_bound < date_trunc('month', month + interval '40 days', 'UTC') and upper_bound > month) $$`);
    // Of users only: all users together are rolled up from the users' rollups, which are still there.
    this.addSql(`
      create function is_frozen(whose text, at_quarter timestamptz) returns boolean language sql stable as $$
        select whose <> ''
           and exists (select from model_call_frozen_months where month = date_trunc('month', at_quarter, 'UTC'))
           and not exists (select from model_call_reopened_quarters where user_did = whose and quarter = at_quarter) $$`);
    this.addSql(`
      create function freeze_month(frozen timestamptz) returns void language plpgsql as $$
      declare
        month_end timestamptz := date_trunc('month', frozen + interval '40 days', 'UTC');
      begin
        insert into model_call_frozen_months (month) values (frozen) on conflict do nothing;
        delete from model_call_reopened_quarters where quarter >= frozen and quarter < month_end;
        -- What was changed and never rolled up is gone; rolling it up now would leave nothing at all.
        delete from model_call_changes where user_did <> '' and quarter >= frozen and quarter < month_end;
      end $$`);
    this.addSql(`
      create function guard_partition(partition regclass) returns void language plpgsql as $$
      begin
        perform pg_advisory_xact_lock(hashtextextended('guard_frozen_quarters ' || partition, 0));
        if exists (select from pg_trigger where tgrelid = partition and tgname = 'guard_frozen_quarters') then return; end if;
        execute format('create trigger guard_frozen_quarters before insert or update on %s for each row execute function guard_frozen_quarters()', partition);
      end $$`);
    this.addSql(`
      create function guards_frozen_quarters(partition regclass) returns boolean language sql stable as $$
        select exists (select from pg_trigger where tgrelid = partition and tgname = 'guard_frozen_quarters') $$`);
    // Goes from month to month of the rollups: one look into an index for each.
    this.addSql(`
      create function notice_missing_months() returns void language plpgsql as $$
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
               insert into model_call_reopened_quarters (user_did, quarter) select user_did, quarter from quarters on conflict do nothing)
             insert into model_call_changes select user_did, quarter from quarters',
            attached, this_month, date_trunc('month', this_month + interval '40 days', 'UTC'));
        end loop;
      end $$`);
    this.addSql(`
      create function guard_frozen_quarters() returns trigger language plpgsql as $$
      declare
        new_quarter timestamptz := quarter_of(new.call_time);
      begin
        if is_frozen(new.user_did, new_quarter) then
          if exists (select from model_call_stats where user_did = new.user_did and time_type = 'quarter' and timestamp = new_quarter) then
            raise exception 'The calls of % at % were dropped, and what was rolled up of them stays as it is', new.user_did, new_quarter
              using errcode = 'check_violation', schema = tg_table_schema, table = tg_table_name, constraint = 'model_calls_frozen_check';
          end if;
          insert into model_call_reopened_quarters values (new.user_did, new_quarter) on conflict do nothing;
        end if;
        return new;
      end $$`);
    this.addSql(ensurePartition(true));
    for (const name of [
      "model_calls_partitions()",
      "has_model_calls_partition(timestamptz)",
      "is_frozen(text, timestamptz)",
      "freeze_month(timestamptz)",
      "guard_partition(regclass)",
      "guards_frozen_quarters(regclass)",
      "notice_missing_months()",
      "guard_frozen_quarters()",
      "ensure_model_calls_partition(timestamptz)",
    ])
      this.addSql(inOwnSchema(name));
    // What they write times into is read again as the session writes them.
    for (const name of ["notice_missing_months()", "ensure_model_calls_partition(timestamptz)"])
      this.addSql(
        `alter function ${name} set datestyle = 'ISO, YMD'; alter function ${name} set timezone = 'UTC'`,
      );
  }

  override down(): void {
    this.addSql(ensurePartition(false));
    this.addSql(`alter function ensure_model_calls_partition(timestamptz) reset all`);
    this.addSql(`
      do $$ declare guarded regclass; begin
        for guarded in select partition from model_calls_partitions() where guards_frozen_quarters(partition) loop
          execute format('drop trigger guard_frozen_quarters on %s', guarded);
        end loop;
      end $$`);
    for (const name of [
      "guard_frozen_quarters()",
      "notice_missing_months()",
      "guards_frozen_quarters(regclass)",
      "guard_partition(regclass)",
      "freeze_month(timestamptz)",
      "is_frozen(text, timestamptz)",
      "has_model_calls_partition(timestamptz)",
      "model_calls_partitions()",
    ])
      this.addSql(`drop function ${name}`);
    this.addSql(`drop table model_call_reopened_quarters`);
    this.addSql(`drop table model_call_frozen_months`);
  }
}

/**
 * Makes the partition of a month, where none holds it. One whose calls were rolled up before is frozen: its partition is for quarters that
 * nobody had calls in. A month that was detached is not made again beside the table that has its calls; a table that only happens to
 * have the name is left alone, and the partition gets another.
 */
function ensurePartition(knowsFrozen: boolean): string {
  const partitioned = knowsFrozen
    ? "has_model_calls_partition(month)"
    : "exists (select from pg_class where relname = partition_name and relispartition)";
  const findName = `
          while to_regclass(quote_ident(partition_name)) is not null loop
            if exists (select from pg_trigger where tgrelid = quote_ident(partition_name)::regclass and tgname = 'log_insert') then
              raise exception '% was detached from model_calls', partition_name
                using errcode = 'object_not_in_prerequisite_state', table = partition_name,
                      hint = 'Attach it again to record calls of that month, or rename it.';
            end if;
            partition_name := partition_name || '_';
          end loop;`;
  const guard = `
          if exists (select from model_call_stats where time_type = 'quarter' and user_did <> '' and timestamp >= month
                      and timestamp < date_trunc('month', month + interval '40 days', 'UTC')) then
            perform freeze_month(month);
            perform guard_partition(quote_ident(partition_name)::regclass);
          end if;`;
  return `
    create or replace function ensure_model_calls_partition(any_time timestamptz) returns text language plpgsql as $$
    declare
      month timestamptz := date_trunc('month', any_time, 'UTC');
      partition_name text := 'model_calls_' || to_char(month at time zone 'UTC', 'YYYY_MM');
    begin
      if not ${partitioned} then
        perform pg_advisory_xact_lock(hashtextextended(${knowsFrozen ? "current_schema() || '.' || partition_name" : "partition_name"}, 0));
        if not ${partitioned} then${knowsFrozen ? findName : ""}
          execute format('create table %I (like model_calls including defaults including constraints)', partition_name);
          perform add_model_calls_triggers(${knowsFrozen ? "quote_ident(partition_name)" : "partition_name"}::regclass);${knowsFrozen ? guard : ""}
          execute format(
            'alter table model_calls attach partition %I for values from (%L) to (%L)',
            partition_name, month, date_trunc('month', month + interval '40 days', 'UTC'));
        end if;
      end if;
      return partition_name;
    end $$`;
}
