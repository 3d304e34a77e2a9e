import { type GroupDimension, type UsageFilter } from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { FILTER, fieldsOf, type UsageShape } from "./asked-usage.ts";

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
  return andMatchesLists(fieldsOf(filter), (field) => sql`${filter[field]}::text[]`);
}

/** Writes the same for whatever lists a filter of the shape has. */
export function andMatchesFilter({ filter }: UsageShape): Sql {
  return andMatchesLists(filter, (field) => FILTER[field]);
}

function andMatchesLists(
  fields: readonly (keyof UsageFilter)[],
  listOf: (field: keyof UsageFilter) => Sql,
): Sql {
  const conditions = fields.map((field) => sql` and ${raw(FILTER_COLUMNS[field])} = any(${listOf(field)})`);
  return conditions.length === 0 ? empty : join(conditions, "");
}
