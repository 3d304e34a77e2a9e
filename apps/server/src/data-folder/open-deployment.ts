import { hintsOnNames } from "../env.ts";
import { type Settings } from "../settings/settings.ts";
import { loadAuthSecret } from "./auth-secret.ts";
import { joinEmbeddedDatabase } from "./embedded-database.ts";
import { refuseAccidentalDatabase } from "./refuse-accidental-database.ts";

/** The database and the secret that this installation works with: the operator's own, or the embedded ones of the data folder. */
export type Deployment = {
  databaseUrl: string;
  /** `null` where sessions are signed elsewhere. */
  authSecret: string | null;
  embedded: boolean;
  /** Rejects when the embedded database is gone. */
  lost: Promise<never>;
  close(): Promise<void>;
};

/** Names settings that are misspelt. Throws `OperatorError` where nothing says which database, and the embedded one would be a mistake. */
export async function openDeployment(settings: Settings, as: "server" | "command"): Promise<Deployment> {
  for (const hint of hintsOnNames()) console.error(hint);
  const { databaseUrl, dataDir } = settings;
  if (databaseUrl !== undefined) {
    const never = new Promise<never>(() => {});
    return {
      databaseUrl,
      authSecret: settings.authSecret ?? null,
      embedded: false,
      lost: never,
      close: async () => {},
    };
  }
  refuseAccidentalDatabase(settings);
  const database = await joinEmbeddedDatabase(dataDir, as);
  const authSecret = settings.authJwksUrl ? null : (settings.authSecret ?? (await loadAuthSecret(dataDir)));
  return {
    databaseUrl: database.url,
    authSecret,
    embedded: true,
    lost: database.lost,
    close: database.close,
  };
}
