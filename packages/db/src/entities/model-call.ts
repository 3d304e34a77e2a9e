import { defineEntity, p } from "@mikro-orm/core";
import { CALL_STATUSES, CALL_TYPES } from "@usage-stats/core";
import { MEASURES_CHECK } from "../migrations/20261125000005-measure-limits.ts";

/** One logged call: `PARTITION BY RANGE (call_time)`, a partition a month (the migration says so; MikroORM cannot). */
export const ModelCallEntity = defineEntity({
  name: "ModelCall",
  tableName: "model_calls",
  checks: [
    MEASURES_CHECK,
    {
      name: "model_calls_names_check",
      expression:
        "user_did <> '' and app_did <> '' and greatest(octet_length(user_did), octet_length(app_did), octet_length(provider_id), octet_length(model)) <= 512",
    },
  ],
  properties: {
    userDid: p.text().primary(),
    callTime: p.datetime().columnType("timestamptz").primary(),
    id: p.text().primary(),
    appDid: p.text().nullable(),
    providerId: p.text(),
    model: p.text(),
    type: p.enum(CALL_TYPES),
    status: p.enum(CALL_STATUSES),
    inputTokens: p.bigint("number").nullable(),
    outputTokens: p.bigint("number").nullable(),
    cachedInputTokens: p.bigint("number").nullable(),
    totalUsage: p.bigint("number").nullable(),
    credits: p.decimal("string").precision(20).scale(8).default("0"),
    durationMs: p.bigint("number").nullable(),
    ttfbMs: p.bigint("number").nullable(),
    errorReason: p.text().nullable(),
    requestId: p.text().nullable(),
    traceId: p.text().nullable(),
    metadata: p.json().nullable(),
    revision: p.integer().default(0),
    createdAt: p.datetime().columnType("timestamptz").defaultRaw("now()"),
    updatedAt: p.datetime().columnType("timestamptz").defaultRaw("now()"),
    /** Since when it counts nowhere. */
    voidedAt: p.datetime().columnType("timestamptz").nullable(),
  },
});
