import { UnderscoreNamingStrategy } from "@mikro-orm/core";

/** The rollups' primary keys are the composite indexes that every read goes through, and bear their names. */
export class RollupNamingStrategy extends UnderscoreNamingStrategy {
  override indexName(
    table: string,
    columns: string[],
    type: "primary" | "foreign" | "unique" | "index" | "sequence" | "check" | "default",
  ): string {
    return type === "primary" && table.endsWith("_stats")
      ? `idx_${table}_user_type_time`
      : super.indexName(table, columns, type);
  }
}
