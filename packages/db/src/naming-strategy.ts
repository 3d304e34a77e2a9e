import { UnderscoreNamingStrategy } from "@mikro-orm/core";

/** Primary keys of calls and rollups are the composite indexes that every read goes through, and bear their names. */
export class RollupNamingStrategy extends UnderscoreNamingStrategy {
  override indexName(
    table: string,
    columns: string[],
    type: "primary" | "foreign" | "unique" | "index" | "sequence" | "check" | "default",
  ): string {
    if (type !== "primary") return super.indexName(table, columns, type);
    if (table === "model_calls") return "idx_model_calls_user_time_type";
    if (table === "model_call_stats") return "idx_model_call_stats_user_type_time";
    return super.indexName(table, columns, type);
  }
}
