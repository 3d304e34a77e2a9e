import sql, { raw, type Sql } from "sql-template-tag";
import { typeName } from "../layout/call-type-codes.ts";
import { type Level, levelOf } from "./detail-levels.ts";

/** The column of a fine row that is the item of rows at a level. */
export const ITEM_OF_FINE: Record<Level, string> = { type: "type", model: "model_id", combo: "item" };

/**
 * Writes a lateral subquery `names` with columns of calls that an item of a level stands for, looked up by the column `item`. OFFSET 0 has
 * each looked up by its id, whatever the planner thinks of how many there are.
 */
export function namesOf(level: Level, columns: readonly string[], item = "item"): Sql {
  const select = (type: string) =>
    raw(
      columns.map((column) => (column === "type" ? `${typeName(type)} as type` : nameIn(column))).join(", "),
    );
  switch (level) {
    case "type":
      return sql`(select ${select(item)}) as names`;
    case "model":
      return sql`(select ${select("models.type")} from model_call_models as models where models.id = ${raw(item)} offset 0) as names`;
    case "combo":
      return sql`(select ${select("models.type")}
          from model_call_combos as combos join model_call_models as models on models.id = combos.model_id
         where combos.id = ${raw(item)} offset 0) as names`;
  }
}

function nameIn(column: string): string {
  return `${levelOf(column)}s.${column}`;
}
