import { type GroupDimension, type UsageFilter } from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { FILTER, type UsageShape } from "./asked-usage.ts";

export const DIMENSION_COLUMNS: Record<GroupDimension, string> = {
  app: "app_did",
  provider: "provider_id",
  model: "model",
  type: "type",
  status: "status",
};

const FILTER_COLUMNS: Record<keyof UsageFilter, string> = {
  appDids: "app_did",
  providerIds: "provider_id",
  models: "model",
  types: "type",
  status: "status",
};

/** Names the columns that a filter looks at. */
export function filterColumns({ filter }: UsageShape): string[] {
  return filter.map((field) => FILTER_COLUMNS[field]);
}

/** Writes `and column = any(…)` for each list of the filter. */
export function andMatches(filter: UsageFilter): Sql {
  const conditions = Object.entries(FILTER_COLUMNS).flatMap(([field, column]) => {
    const values = filter[field as keyof UsageFilter];
    return values === undefined ? [] : [sql` and ${raw(column)} = any(${values}::text[])`];
  });
  return conditions.length === 0 ? empty : join(conditions, "");
}

/** Writes the same for whatever lists a filter of the shape has. */
export function andMatchesFilter({ filter }: UsageShape): Sql {
  const conditions = filter.map((field) => sql` and ${raw(FILTER_COLUMNS[field])} = any(${FILTER[field]})`);
  return conditions.length === 0 ? empty : join(conditions, "");
}
