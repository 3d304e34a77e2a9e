import { type Command, Option } from "commander";
import { signSessionToken } from "@usage-stats/identity";
import { loadAuthSecret } from "../data-folder/auth-secret.ts";
import { readSettings } from "../env.ts";
import { OperatorError } from "../operator-error.ts";

export function registerToken(program: Command): void {
  program
    .command("token")
    .description("print a session token for a user, and nothing else")
    .requiredOption("--user <did>", "whose token it is")
    .addOption(
      new Option("--role <role>", "admins may read everyone's usage")
        .choices(["user", "admin"])
        .default("user"),
    )
    .option("--expires <span>", "how long it is good for: 30m, 12h, 7d", "12h")
    .addHelpText(
      "after",
      '\nExample:\n  curl -H "Authorization: Bearer $(npm run -s usage-stats -- token --user did:abt:z1demo000)" …',
    )
    .action(async ({ user, role, expires }: { user: string; role: "user" | "admin"; expires: string }) => {
      const settings = readSettings();
      if (settings.authJwksUrl)
        throw new OperatorError("Tokens are signed by whoever AUTH_JWKS_URL belongs to, not here.");
      const secret = settings.authSecret ?? (await loadAuthSecret(settings.dataDir));
      console.log(await signSessionToken(secret, { userDid: user, role }, expires, new Date()));
    });
}
