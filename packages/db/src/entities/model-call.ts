import { defineEntity, p } from "@mikro-orm/core";
import { CALL_CONTENT, CALL_FIELDS, type CallField } from "@usage-stats/core";
import { DIMENSION_CHECKS, DIMENSION_INDEXES } from "../migrations/20261125000008-call-dimensions.ts";
import { FIRST_NUMBERS, limitsOf, MEASURES_CHECK } from "../migrations/20261125000005-measure-limits.ts";

const LATER_NUMBERS = CALL_CONTENT.map((name): CallField => CALL_FIELDS[name])
  .filter(
    ({ kind, column }) => (kind === "count" || kind === "milliseconds") && !FIRST_NUMBERS.includes(column),
  )
  .map(({ column }) => column);

/** One logged call: `PARTITION BY RANGE (call_time)`, a partition a month (the migration says so; MikroORM cannot). */
export const ModelCallEntity = defineEntity({
  name: "ModelCall",
  tableName: "model_calls",
  checks: [
    MEASURES_CHECK,
    ...DIMENSION_CHECKS,
    ...LATER_NUMBERS.map((column) => ({ name: `model_calls_${column}_check`, expression: limitsOf(column) })),
    {
      name: "model_calls_names_check",
      expression:
        "user_did <> '' and app_did <> '' and greatest(octet_length(user_did), octet_length(app_did), octet_length(provider_id), octet_length(model)) <= 512",
    },
  ],
  indexes: DIMENSION_INDEXES.map(({ name, column }) => ({
    name,
    expression: `create index "${name}" on "model_calls" ("user_did", "${column}") where ${column} is not null`,
  })),
  properties: {
    userDid: p.text().primary(),
    callTime: p.datetime().columnType("timestamptz").primary(),
    id: p.text().primary(),
    ...Object.fromEntries(CALL_CONTENT.map((name) => [name, propertyOf(CALL_FIELDS[name])])),
    revision: p.integer().default(0),
    createdAt: p.datetime().columnType("timestamptz").defaultRaw("now()"),
    updatedAt: p.datetime().columnType("timestamptz").defaultRaw("now()"),
    /** Since when it counts nowhere. */
    voidedAt: p.datetime().columnType("timestamptz").nullable(),
  },
});

function propertyOf(field: CallField) {
  const { required = false } = field;
  switch (field.kind) {
    case "name":
    case "text":
    case "cut_text":
      return required ? p.text() : p.text().nullable();
    case "choice":
      return p.enum(field.values);
    case "count":
    case "milliseconds":
      return p.bigint("number").nullable();
    case "decimal":
      return p.decimal("string").precision(20).scale(8).nullable();
    case "instant":
      return p.datetime().columnType("timestamptz");
    case "object":
    case "tags":
      return p.json().nullable();
  }
}
