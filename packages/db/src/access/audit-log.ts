import { type AuditLog } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { AdminActionEntity } from "../entities/admin-action.ts";

/** Records admins' actions in Postgres. */
export function createAuditLog(orm: Database): AuditLog {
  return {
    async record(action) {
      try {
        await orm.em.fork().insert(AdminActionEntity, action);
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}
