import { OperatorError } from "./operator-error.ts";
import { checkedSettings } from "./settings/check-settings.ts";
import { withLibpqVariables } from "./settings/libpq-variables.ts";
import { findMisspeltNames } from "./settings/misspelt-names.ts";
import { type Settings, settingsOf } from "./settings/settings.ts";
import { SETTINGS } from "./settings/settings-table.ts";

/** Reads the settings from environment variables; an empty one counts as unset. Throws `OperatorError` naming every problem. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const given = withLibpqVariables(
    Object.fromEntries(Object.entries(env).filter(([, value]) => value !== "")),
  );
  const result = checkedSettings.safeParse(given);
  if (result.success) return settingsOf(result.data);
  const problems = result.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
  throw new OperatorError(
    ["These settings are not right:", ...new Set(problems), ...hintsOnNames(env)].join("\n"),
  );
}

/** The database alone, for `mikro-orm`, which needs no other setting. Throws `OperatorError` where it is not set. */
export function databaseUrlSetting(env: NodeJS.ProcessEnv = process.env): string {
  if (env["DATABASE_URL"]) {
    const schema = SETTINGS.DATABASE_URL.schema.unwrap();
    const result = schema.safeParse(withLibpqVariables(env)["DATABASE_URL"]);
    if (result.success) return result.data;
    throw new OperatorError(`DATABASE_URL: ${result.error.issues[0]!.message}`);
  }
  throw new OperatorError(
    "DATABASE_URL is not set. `npm run -s mikro-orm …` in the top folder finds the embedded database by itself.",
  );
}

/** The same for a message about a failure, which must not fail itself. */
export function databaseUrlOrNull(env: NodeJS.ProcessEnv = process.env): string | null {
  try {
    return databaseUrlSetting(env);
  } catch {
    return null;
  }
}

/** The tags that a call may have, for `import`, which asks for the other settings only once it has read something. Throws `OperatorError`. */
export function tagsSetting(env: NodeJS.ProcessEnv = process.env): readonly string[] {
  const result = SETTINGS.TAGS.schema.safeParse(env["TAGS"] === "" ? undefined : env["TAGS"]);
  if (result.success) return result.data;
  throw new OperatorError(`TAGS: ${result.error.issues[0]!.message}`);
}

/** What to tell of variables whose names are nearly those of settings, never of their values. */
export function hintsOnNames(env: NodeJS.ProcessEnv = process.env): string[] {
  const given = Object.keys(env).filter((name) => env[name] !== "");
  const ours = Object.keys(checkedSettings.shape).filter((name) => name !== "NODE_ENV");
  return findMisspeltNames(given, ours).map(
    (name) => `settings: ${name.given} is set, which is none: did you mean ${name.meant}?`,
  );
}

/** The environment as it is, for a program that is started with more in it. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
