import {
  type AdminAction,
  type ApiKey,
  type ApiKeyStore,
  type KeyHashes,
  type Scope,
  UsageStatsError,
} from "@usage-stats/core";
import { type EntityManager } from "@mikro-orm/postgresql";
import { retryRead } from "../connection/retry-read.ts";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { AdminActionEntity } from "../entities/admin-action.ts";
import { ApiKeyEntity, type ApiKeyRow } from "../entities/api-key.ts";
import { inTransaction } from "../transaction.ts";

/** Keeps API keys in Postgres, each change in one transaction with its entry in the record of admins' actions. */
export function createApiKeyStore(orm: Database): ApiKeyStore {
  async function change<T>(
    action: AdminAction,
    run: (em: EntityManager) => Promise<T | null>,
  ): Promise<T | null> {
    try {
      return await inTransaction(orm, { isolationLevel: "read committed" }, async (em) => {
        const changed = await run(em);
        if (changed !== null) await em.insert(AdminActionEntity, action);
        return changed;
      });
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  async function read<T>(run: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await retryRead(() => run(orm.em.fork()));
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  return {
    async insert(key, hashes, action) {
      await change(action, (em) =>
        em.insert(ApiKeyEntity, { ...key, scopes: [...key.scopes], ...columnsOf(hashes) }),
      );
    },
    find: (id) =>
      read(async (em) => {
        const row = await em.findOne(ApiKeyEntity, { id });
        return row && { key: keyOf(row), hashes: hashesOf(row) };
      }),
    hashes: () =>
      read(async (em) => {
        const rows = await em.find(
          ApiKeyEntity,
          { revokedAt: null },
          { fields: ["id", "secretHash", "previousSecretHash", "previousUntil"] },
        );
        return new Map(rows.map((row) => [row.id, hashesOf(row)]));
      }),
    list: () =>
      read(async (em) => {
        const rows = await em.find(ApiKeyEntity, {}, { orderBy: { createdAt: "desc", id: "asc" } });
        return rows.map(keyOf);
      }),
    rotate: (id, from, hashes, action) =>
      change(action, async (em) => {
        const unchanged = { id, revokedAt: null, secretHash: from };
        const changed = await em.nativeUpdate(ApiKeyEntity, unchanged, columnsOf(hashes));
        const row = await em.findOne(ApiKeyEntity, { id, revokedAt: null });
        if (row !== null && changed === 0)
          throw new UsageStatsError("conflict", "The key was rotated by somebody else meanwhile.", {
            field: "id",
          });
        return row && keyOf(row);
      }),
    revoke: (id, action) =>
      change(action, async (em) => {
        await em.nativeUpdate(ApiKeyEntity, { id, revokedAt: null }, { revokedAt: action.at });
        const row = await em.findOne(ApiKeyEntity, { id });
        return row && keyOf(row);
      }),
    touch: (id, at) =>
      read(async (em) => {
        await em.nativeUpdate(ApiKeyEntity, { id }, { lastUsedAt: at });
      }),
  };
}

function columnsOf({ current, previous }: KeyHashes) {
  return {
    secretHash: current,
    previousSecretHash: previous?.hash ?? null,
    previousUntil: previous?.until ?? null,
  };
}

function hashesOf({
  secretHash,
  previousSecretHash,
  previousUntil,
}: Pick<ApiKeyRow, "secretHash" | "previousSecretHash" | "previousUntil">): KeyHashes {
  const previous =
    previousSecretHash == null || previousUntil == null
      ? null
      : { hash: previousSecretHash, until: previousUntil };
  return { current: secretHash, previous };
}

function keyOf(row: ApiKeyRow): ApiKey {
  const { id, name, createdAt, createdBy } = row;
  return {
    id,
    name,
    scopes: row.scopes as Scope[],
    userDid: row.userDid ?? null,
    createdAt,
    createdBy,
    expiresAt: row.expiresAt ?? null,
    lastUsedAt: row.lastUsedAt ?? null,
    revokedAt: row.revokedAt ?? null,
  };
}
