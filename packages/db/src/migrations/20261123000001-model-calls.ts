import { Migration } from "@mikro-orm/migrations";

/** Raw calls, a partition a month, and the function that makes a month's partition when it is first needed. */
export class ModelCalls extends Migration {
  override up(): void {
    this.addSql(`
      create table model_calls (
        user_did text not null,
        id text not null,
        call_time timestamptz not null,
        app_did text,
        provider_id text not null,
        model text not null,
        type text not null,
        status text not null,
        input_tokens bigint,
        output_tokens bigint,
        cached_input_tokens bigint,
        total_usage bigint,
        credits numeric(20,8) not null default 0,
        duration_ms bigint,
        ttfb_ms bigint,
        error_reason text,
        request_id text,
        trace_id text,
        metadata jsonb,
        revision int not null default 0,
        created_at timestamptz not null default now(),
        updated_at timestamptz not null default now(),
        constraint model_calls_pkey primary key (user_did, id, call_time),
        -- '' means something else in the rollups, and a name too long for their keys could never be rolled up.
        constraint model_calls_names_check check (user_did <> '' and app_did <> '' and greatest(octet_length(user_did), octet_length(app_did), octet_length(provider_id), octet_length(model)) <= 512),
        constraint model_calls_type_check check (type in ('chatCompletion', 'embedding', 'imageGeneration', 'audioGeneration', 'video', 'custom')),
        constraint model_calls_status_check check (status in ('processing', 'success', 'failed'))
      ) partition by range (call_time)`);
    this.addSql(`create index idx_model_calls_user_time_type on model_calls (user_did, call_time, type)`);
    // A table is made beside and then attached, because CREATE TABLE … PARTITION OF would lock out every reader of the
    // parent until it gets its turn; ATTACH does not. There is no DEFAULT partition: it would forbid detaching concurrently.
    this.addSql(`
      create function ensure_model_calls_partition(any_time timestamptz) returns text language plpgsql as $$
      declare
        month timestamptz := date_trunc('month', any_time, 'UTC');
        partition_name text := 'model_calls_' || to_char(month at time zone 'UTC', 'YYYY_MM');
      begin
        if not exists (select from pg_class where relname = partition_name and relispartition) then
          perform pg_advisory_xact_lock(hashtextextended(partition_name, 0));
          if not exists (select from pg_class where relname = partition_name and relispartition) then
            execute format('create table %I (like model_calls including defaults including constraints)', partition_name);
            execute format(
              'alter table model_calls attach partition %I for values from (%L) to (%L)',
              partition_name, month, date_trunc('month', month + interval '40 days', 'UTC'));
          end if;
        end if;
        return partition_name;
      end $$`);
  }

  override down(): void {
    this.addSql(`drop function ensure_model_calls_partition(timestamptz)`);
    this.addSql(`drop table model_calls`);
  }
}
