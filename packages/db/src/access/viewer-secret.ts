import { randomBytes } from "node:crypto";
import { type ViewerSecret } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { ServerSecretEntity } from "../entities/server-secret.ts";

const NAME = "viewer-tokens";

/** Makes the secret when it is first asked for; whichever server is first, all have the same. It is read once a process. */
export function createViewerSecret(orm: Database): ViewerSecret {
  let known: string | null = null;
  return async () => {
    if (known !== null) return known;
    try {
      const em = orm.em.fork();
      const secret = randomBytes(32).toString("base64url");
      await em.upsert(ServerSecretEntity, { name: NAME, secret }, { onConflictAction: "ignore" });
      const row = await orm.em.fork().findOneOrFail(ServerSecretEntity, { name: NAME });
      return (known = row.secret);
    } catch (error) {
      throw databaseFailure(error);
    }
  };
}
