import { Migration } from "@mikro-orm/migrations";

/**
 * The log of which quarters of an hour changed, written by triggers in the transaction of the change itself, so that no
 * writer can go around it. Triggers on the parent see every statement on the parent; a statement on a partition is seen
 * only by triggers of that partition, so each partition has the same ones. They never fire both.
 */
export class ModelCallChanges extends Migration {
  override up(): void {
    this.addSql(`create table model_call_changes (user_did text not null, quarter timestamptz not null)`);
    this.addSql(`create index idx_model_call_changes_user_quarter on model_call_changes (user_did, quarter)`);
    this.addSql(`
      create function quarter_of(any_time timestamptz) returns timestamptz language sql immutable parallel safe
      return date_bin('15 minutes', any_time, '2000-01-01 00:00:00+00')`);
    this.addSql(`
      create function log_model_call_changes() returns trigger language plpgsql as $$
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
      end $$`);
    this.addSql(`
      create function refuse_truncate() returns trigger language plpgsql as $$
      begin
        raise exception 'model_calls cannot be truncated: the rollups would not notice. Use DELETE.';
      end $$`);
    this.addSql(`
      create function add_model_calls_triggers(target regclass) returns void language plpgsql as $$
      begin
        execute format('create trigger log_insert after insert on %s referencing new table as new_calls for each statement execute function log_model_call_changes()', target);
        execute format('create trigger log_update after update on %s referencing old table as old_calls new table as new_calls for each statement execute function log_model_call_changes()', target);
        execute format('create trigger log_delete after delete on %s referencing old table as old_calls for each statement execute function log_model_call_changes()', target);
        execute format('create trigger refuse_truncate before truncate on %s for each statement execute function refuse_truncate()', target);
      end $$`);
    this.addSql(`select add_model_calls_triggers('model_calls')`);
    this.addSql(
      `select add_model_calls_triggers(inhrelid::regclass) from pg_inherits where inhparent = 'model_calls'::regclass`,
    );
    this.addSql(ensurePartition("perform add_model_calls_triggers(partition_name::regclass);"));
    // What was there before the log began.
    this.addSql(
      `insert into model_call_changes select distinct user_did, quarter_of(call_time) from model_calls`,
    );
  }

  override down(): void {
    this.addSql(ensurePartition(""));
    for (const name of ["log_insert", "log_update", "log_delete", "refuse_truncate"]) {
      this.addSql(`drop trigger ${name} on model_calls`);
      this.addSql(`
        do $$ declare partition regclass; begin
          for partition in select inhrelid::regclass from pg_inherits where inhparent = 'model_calls'::regclass loop
            execute format('drop trigger ${name} on %s', partition);
          end loop;
        end $$`);
    }
    this.addSql(`drop function add_model_calls_triggers(regclass)`);
    this.addSql(`drop function refuse_truncate()`);
    this.addSql(`drop function log_model_call_changes()`);
    this.addSql(`drop function quarter_of(timestamptz)`);
    this.addSql(`drop table model_call_changes`);
  }
}

/** The function of the first migration with one more step before a partition is attached. */
function ensurePartition(step: string): string {
  return `
    create or replace function ensure_model_calls_partition(any_time timestamptz) returns text language plpgsql as $$
    declare
      month timestamptz := date_trunc('month', any_time, 'UTC');
      partition_name text := 'model_calls_' || to_char(month at time zone 'UTC', 'YYYY_MM');
    begin
      if not exists (select from pg_class where relname = partition_name and relispartition) then
        perform pg_advisory_xact_lock(hashtextextended(partition_name, 0));
        if not exists (select from pg_class where relname = partition_name and relispartition) then
          execute format('create table %I (like model_calls including defaults including constraints)', partition_name);
          ${step}
          execute format(
            'alter table model_calls attach partition %I for values from (%L) to (%L)',
            partition_name, month, date_trunc('month', month + interval '40 days', 'UTC'));
        end if;
      end if;
      return partition_name;
    end $$`;
}
