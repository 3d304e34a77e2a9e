import { type UsageFilter } from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { filterList, TYPE_CODES } from "./asked-usage.ts";
import { levelOf } from "./detail-levels.ts";
import { fieldsOf, filtered, type FilterField, listOf, type UsageShape } from "./usage-shape.ts";

/** Writes `and column = any(…)` for each list of the filter. */
export function andMatches(filter: UsageFilter): Sql {
  return andMatchesLists(fieldsOf(filter), (field) => sql`${listOf(filter, field)}::text[]`);
}

/** Writes the same for whatever lists a filter of the shape has. */
export function andMatchesFilter({ filter }: Pick<UsageShape, "filter">): Sql {
  return andMatchesLists(filter, filterList);
}

/**
 * Writes the same for rollup rows at a level that knows every column of the filter: their ids are compared with those that the
 * dictionaries have for it, which are looked up once.
 */
export function andMatchesIds({ filter, isEveryone }: UsageShape): Sql {
  const at = (level: string) => filter.filter((field) => levelOf(filtered(field).column) === level);
  const conditions: Sql[] = [];
  if (at("type").length > 0) conditions.push(sql` and type = any(${TYPE_CODES})`);
  const models = andMatchesFilter({ filter: at("model") });
  if (models !== empty)
    conditions.push(sql` and model_id = any(array(select id from model_call_models where true${models}))`);
  const combos = andMatchesFilter({ filter: at("combo") });
  // All users together have no combinations with a key.
  const known = raw(isEveryone ? "keyless_id is null" : "true");
  if (combos !== empty)
    conditions.push(sql` and item = any(array(select id from model_call_combos where ${known}${combos}))`);
  return conditions.length === 0 ? empty : join(conditions, "");
}

function andMatchesLists(fields: readonly FilterField[], listIn: (field: FilterField) => Sql): Sql {
  const conditions = fields.map((field) => sql` and ${raw(filtered(field).value)} = any(${listIn(field)})`);
  return conditions.length === 0 ? empty : join(conditions, "");
}
