import { defineEntity, p } from "@mikro-orm/core";

/** What rollups call a user: a number that is never given to another. 0 is all users together. */
export const ModelCallUserEntity = defineEntity({
  name: "ModelCallUser",
  tableName: "model_call_users",
  uniques: [{ name: "model_call_users_did_key", properties: ["did"] }],
  properties: { id: p.integer().primary().generated("by default as identity"), did: p.text() },
});

/** What rollups call a model of a provider and a type. */
export const ModelCallModelEntity = defineEntity({
  name: "ModelCallModel",
  tableName: "model_call_models",
  uniques: [{ name: "model_call_models_name_key", properties: ["type", "providerId", "model"] }],
  properties: {
    id: p.integer().primary().generated("by default as identity"),
    type: p.smallint(),
    providerId: p.text(),
    model: p.text(),
  },
});

/** What rollups call a combination of everything that usage is grouped and filtered by. */
export const ModelCallComboEntity = defineEntity({
  name: "ModelCallCombo",
  tableName: "model_call_combos",
  indexes: [
    {
      name: "model_call_combos_name_key",
      expression: `create unique index "model_call_combos_name_key" on "model_call_combos" ("model_id", "status", coalesce(app_did, ''), coalesce(key_id, ''), coalesce(tags, '{}'))`,
    },
  ],
  properties: {
    id: p.integer().primary().generated("by default as identity"),
    modelId: p.integer(),
    appDid: p.text().nullable(),
    status: p.text(),
    keyId: p.text().nullable(),
    tags: p.json().nullable(),
    /** The same without the key; null where it has none. */
    keylessId: p.integer().nullable(),
  },
});
