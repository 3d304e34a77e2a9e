import { defineEntity, p } from "@mikro-orm/core";
import { WHOLE_COLUMNS } from "@usage-stats/core";
import { FIRST_MEASURES } from "../migrations/20261123000002-model-call-stats.ts";

/** What every rollup knows: whose calls, and which quarter of an hour, hour or UTC day. The user "" is all users together. */
const key = {
  userDid: p.text().primary(),
  timeType: p.enum(["quarter", "hour", "day"]).primary(),
  timestamp: p.datetime().columnType("timestamptz").primary(),
  type: p.text().primary(),
};

const measures = {
  ...Object.fromEntries(
    Object.entries(WHOLE_COLUMNS).map(([name, column]) => {
      const sum = p.bigint("number");
      return [name, FIRST_MEASURES.includes(column) ? sum : sum.defaultRaw("0")];
    }),
  ),
  credits: p.decimal("string").precision(30).scale(8),
};

/** Sums by type. */
export const ModelCallStatsEntity = defineEntity({
  name: "ModelCallStats",
  tableName: "model_call_stats",
  indexes: [{ name: "idx_model_call_stats_type_time", properties: ["timeType", "timestamp"] }],
  properties: { ...key, ...measures },
});

/** Sums by type, provider and model. */
export const ModelCallModelStatsEntity = defineEntity({
  name: "ModelCallModelStats",
  tableName: "model_call_model_stats",
  properties: { ...key, providerId: p.text().primary(), model: p.text().primary(), ...measures },
});

/** Sums by every dimension; the app "" is none. */
export const ModelCallDetailStatsEntity = defineEntity({
  name: "ModelCallDetailStats",
  tableName: "model_call_detail_stats",
  indexes: [
    {
      name: "idx_model_call_detail_stats_type_time",
      expression: `create index "idx_model_call_detail_stats_type_time" on "model_call_detail_stats" ("time_type", "timestamp") where time_type = 'quarter'`,
    },
  ],
  properties: {
    ...key,
    providerId: p.text().primary(),
    model: p.text().primary(),
    appDid: p.text().primary(),
    status: p.text().primary(),
    ...measures,
  },
});
