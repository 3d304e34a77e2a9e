import { type Settings } from "../env.ts";
import { OperatorError } from "../operator-error.ts";
import { loadAuthSecret } from "./auth-secret.ts";
import { joinEmbeddedDatabase } from "./embedded-database.ts";
import { embeddedRefusal } from "./embedded-refusal.ts";

/** The database and the secret that this installation works with: the operator's own, or the embedded ones of the data folder. */
export type Deployment = {
  databaseUrl: string;
  /** `null` where sessions are signed elsewhere. */
  authSecret: string | null;
  /** Whether that secret is one of the data folder, with which demo tokens may be signed. */
  isDemoSecret: boolean;
  embedded: boolean;
  /** Rejects when the embedded database is gone. */
  lost: Promise<never>;
  close(): Promise<void>;
};

/** Throws `OperatorError` where the embedded database would be used by mistake, or by a second server. */
export async function openDeployment(settings: Settings, as: "server" | "command"): Promise<Deployment> {
  const { databaseUrl, dataDir } = settings;
  for (const { given, meant } of settings.misspelt)
    console.error(`${given} is no setting of usage-stats. Did you mean ${meant}?`);
  if (databaseUrl !== undefined) {
    const never = new Promise<never>(() => {});
    return {
      databaseUrl,
      authSecret: settings.authSecret ?? null,
      isDemoSecret: false,
      embedded: false,
      lost: never,
      close: async () => {},
    };
  }
  const refusal = embeddedRefusal(settings);
  if (refusal !== null) throw new OperatorError(refusal);
  const database = await joinEmbeddedDatabase(dataDir, as);
  const authSecret = settings.authJwksUrl ? null : (settings.authSecret ?? (await loadAuthSecret(dataDir)));
  return {
    databaseUrl: database.url,
    authSecret,
    isDemoSecret: authSecret !== null && settings.authSecret === undefined,
    embedded: true,
    lost: database.lost,
    close: database.close,
  };
}
