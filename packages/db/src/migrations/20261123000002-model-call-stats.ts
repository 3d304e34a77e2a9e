import { Migration } from "@mikro-orm/migrations";

const KEY = `
        user_did text not null,
        time_type text not null check (time_type in ('quarter', 'hour', 'day')),
        timestamp timestamptz not null,`;

const MEASURES = `
        calls bigint not null,
        success_calls bigint not null,
        failed_calls bigint not null,
        input_tokens bigint not null,
        output_tokens bigint not null,
        cached_input_tokens bigint not null,
        total_usage bigint not null,
        credits numeric(30,8) not null,
        duration_ms_sum bigint not null,
        duration_ms_count bigint not null,
        ttfb_ms_sum bigint not null,
        ttfb_ms_count bigint not null,`;

/**
 * Rollups at three levels of detail, each at three grains. The narrower a level, the fewer rows an answer reads, so each
 * question takes the narrowest that knows its dimensions (docs/decisions/0002-rollup-layout.md). The user '' is all users together.
 */
export class ModelCallStats extends Migration {
  override up(): void {
    this.addSql(`
      create table model_call_stats (${KEY}
        type text not null,${MEASURES}
        constraint idx_model_call_stats_user_type_time primary key (user_did, time_type, timestamp, type)
      )`);
    this.addSql(`create index idx_model_call_stats_type_time on model_call_stats (time_type, timestamp)`);
    this.addSql(`
      create table model_call_model_stats (${KEY}
        type text not null,
        provider_id text not null,
        model text not null,${MEASURES}
        constraint idx_model_call_model_stats_user_type_time primary key (user_did, time_type, timestamp, type, provider_id, model)
      )`);
    this.addSql(`
      create table model_call_detail_stats (${KEY}
        type text not null,
        provider_id text not null,
        model text not null,
        app_did text not null,
        status text not null,${MEASURES}
        constraint idx_model_call_detail_stats_user_type_time primary key (user_did, time_type, timestamp, type, provider_id, model, app_did, status)
      )`);
    this.addSql(
      `create index idx_model_call_detail_stats_type_time on model_call_detail_stats (time_type, timestamp) where time_type = 'quarter'`,
    );
  }

  override down(): void {
    for (const table of ["model_call_detail_stats", "model_call_model_stats", "model_call_stats"])
      this.addSql(`drop table ${table}`);
  }
}
