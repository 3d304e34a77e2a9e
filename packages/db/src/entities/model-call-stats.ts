import { defineEntity, p } from "@mikro-orm/core";
import { STORED } from "../layout/stored-measures.ts";
import { WEEK_ORDERS } from "../layout/week-orders.ts";
import { DECIMAL_MEASURES, WHOLE_MEASURES } from "../migrations/adaptive-rollups/tables.ts";

const whole = STORED.filter(({ type }) => type === "int8").map(({ column }) => column);

/** Zero is null, but for `calls`, of which no row has none. The columns of the first release of this layout may have no measure yet. */
const measures = {
  calls: p.bigint("number"),
  ...Object.fromEntries(
    [...new Set([...WHOLE_MEASURES, ...whole])]
      .filter((column) => column !== "calls")
      .map((column) => [column, p.bigint("number").nullable().fieldName(column)]),
  ),
  ...Object.fromEntries(
    DECIMAL_MEASURES.map((column) => [
      column,
      p.decimal("string").columnType("numeric").nullable().fieldName(column),
    ]),
  ),
};

/**
 * Rollups of every kind, as `TIME_TYPES` says. The user 0 is all users together; `timestamp` counts quarters of an hour since
 * 1970; `item` is a type's code, a model or a combination of names.
 */
export const ModelCallStatsEntity = defineEntity({
  name: "ModelCallStats",
  tableName: "model_call_stats",
  indexes: [
    {
      name: "idx_model_call_stats_type_time",
      expression: `create index "idx_model_call_stats_type_time" on "model_call_stats" ((time_type::int), "timestamp")`,
    },
    ...Object.values(WEEK_ORDERS).map(({ index, order }) => ({
      name: index,
      expression: `create index "${index}" on "model_call_stats" ("timestamp", "item", ${order}, "user_id") where time_type = 6 and user_id <> 0`,
    })),
  ],
  properties: {
    userId: p.integer().primary(),
    timeType: p.smallint().primary(),
    slice: p.smallint().primary(),
    timestamp: p.integer().primary(),
    item: p.integer().primary(),
    type: p.smallint(),
    modelId: p.integer().nullable(),
    ...measures,
  },
});
