import { Migration } from "@mikro-orm/migrations";

const KEY = `
        user_did text not null,
        time_type text not null check (time_type in ('quarter', 'hour', 'day')),
        timestamp timestamptz not null,`;

/** The measures of the first release. Later ones are 0 in rollups of before, so they have a default, and these have none. */
export const FIRST_MEASURES = [
  "calls",
  "success_calls",
  "failed_calls",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "total_usage",
  "credits",
  "duration_ms_sum",
  "duration_ms_count",
  "ttfb_ms_sum",
  "ttfb_ms_count",
];

const MEASURES = FIRST_MEASURES.map(
  (column) => `
        ${column} ${column === "credits" ? "numeric(30,8)" : "bigint"} not null,`,
).join("");

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
