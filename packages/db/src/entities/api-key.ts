import { defineEntity, type InferEntity, p } from "@mikro-orm/core";

/** A machine's key: hashes of its secret, never the secret. */
export const ApiKeyEntity = defineEntity({
  name: "ApiKey",
  tableName: "api_keys",
  properties: {
    id: p.text().primary(),
    name: p.text(),
    scopes: p.array().columnType("text[]"),
    userDid: p.text().nullable(),
    secretHash: p.text(),
    previousSecretHash: p.text().nullable(),
    previousUntil: p.datetime().columnType("timestamptz").nullable(),
    createdAt: p.datetime().columnType("timestamptz"),
    createdBy: p.text(),
    expiresAt: p.datetime().columnType("timestamptz").nullable(),
    lastUsedAt: p.datetime().columnType("timestamptz").nullable(),
    revokedAt: p.datetime().columnType("timestamptz").nullable(),
  },
});

export type ApiKeyRow = InferEntity<typeof ApiKeyEntity>;
