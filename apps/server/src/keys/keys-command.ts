import {
  createKey,
  createKeyInput,
  inputError,
  type KeyContext,
  type NewApiKey,
  revokeKey,
  rotateKey,
  rotateKeyInput,
} from "@usage-stats/api";
import { SCOPES } from "@usage-stats/core";
import { createApiKeyStore, migrate } from "@usage-stats/db";
import { type Command, InvalidArgumentError, Option } from "commander";
import type * as z from "zod";
import { KEY_HEADER, keyLine } from "./key-line.ts";
import { withDatabase } from "../commands/with-deployment.ts";

export function registerKeys(program: Command): void {
  const keys = program.command("keys").description("API keys for machines: gateways, and back ends of apps");
  keys
    .command("create")
    .description("make a key; prints it, this once, and nothing else on standard output")
    .requiredOption("--name <name>", "what it is for")
    .addOption(new Option("--scope <scope...>", "what it may do").choices(SCOPES).makeOptionMandatory())
    .option("--user <did>", "the user that it speaks for; needed for stats:read alone")
    .option("--expires <instant>", "from when on it is worthless, such as 2027-01-01T00:00:00Z")
    .addHelpText(
      "after",
      `
  calls:write     records calls of anyone         stats:read      reads the usage of --user
  stats:read:any  reads anyone's usage, and makes viewer tokens   admin  all of it, and keys

Example: a gateway's key
  npm run -s usage-stats -- keys create --name gateway --scope calls:write`,
    )
    .action((options: { name: string; scope: string[]; user?: string; expires?: string }) => {
      const { name, scope: scopes, user: userDid, expires: expiresAt } = options;
      const input = checked(createKeyInput, {
        name,
        scopes,
        ...(userDid !== undefined && { userDid }),
        ...(expiresAt !== undefined && { expiresAt }),
      });
      return withKeys(async (ctx) => show(await createKey(ctx, input)));
    });
  keys
    .command("list")
    .description("every key, newest first; never what it is")
    .action(() =>
      withKeys(async ({ ports, now }) => {
        const list = await ports.keys.list();
        if (list.length === 0) {
          console.log("no keys; make one with: usage-stats keys create --name <name> --scope <scope>");
          return;
        }
        console.log(KEY_HEADER);
        for (const key of list) console.log(keyLine(key, now));
      }),
    );
  keys
    .command("rotate")
    .argument("<id>", "as `keys list` shows it")
    .description("give a key a new secret and print it")
    .option("--grace <seconds>", "how long the secret before stays good", wholeNumber, 86_400)
    .action((id: string, { grace }: { grace: number }) => {
      const input = checked(rotateKeyInput, { id, graceSeconds: grace });
      return withKeys(async (ctx) => show(await rotateKey(ctx, input)));
    });
  keys
    .command("revoke")
    .argument("<id>", "as `keys list` shows it")
    .description("make a key worthless at once, everywhere")
    .action((id: string) =>
      withKeys(async (ctx) => {
        console.log(keyLine(await revokeKey(ctx, { id }), ctx.now));
      }),
    );
}

function withKeys(run: (ctx: KeyContext) => Promise<void>): Promise<void> {
  return withDatabase(async (orm) => {
    const now = new Date();
    await migrate(orm, now);
    await run({ ports: { keys: createApiKeyStore(orm) }, now, actor: actor() });
  });
}

function wholeNumber(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}

function actor() {
  return { subject: `command line, uid ${process.getuid?.() ?? "unknown"}`, requestId: null };
}

function checked<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const result = schema.safeParse(input);
  if (!result.success) throw inputError(result.error);
  return result.data;
}

function show({ key, text }: NewApiKey): void {
  console.error(`Key ${key.id} (${key.name}). Keep it now: it cannot be shown again.`);
  console.log(text);
}
