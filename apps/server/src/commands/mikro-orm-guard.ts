import { parseArgs } from "node:util";
import { type Database, isEmpty } from "@usage-stats/db";
import { OperatorError } from "../operator-error.ts";

/** What may be run of MikroORM's command line: nothing that drops data, or changes the schema behind the migrations' back. */
export const MIKRO_ORM_COMMANDS = [
  "migration:up",
  "migration:down",
  "migration:check",
  "migration:list",
  "migration:pending",
  "migration:create",
  "debug",
] as const;

/** The command among the arguments; `null` where there is none. Throws `OperatorError` for one that may not be run. */
export function mikroOrmCommand(args: string[]): string | null {
  const [command] = args.filter((arg) => isAllowed(arg));
  const other = args.find((arg) => /^[a-z]+(?:[:-][a-z]+)+$/.test(arg) && !isAllowed(arg));
  if (other !== undefined)
    throw new OperatorError(
      `mikro-orm ${other} is refused: only migrations may change this database, and nothing here drops data. There are: ${MIKRO_ORM_COMMANDS.join(", ")}.`,
    );
  return command ?? null;
}

function isAllowed(arg: string): boolean {
  return (MIKRO_ORM_COMMANDS as readonly string[]).includes(arg);
}

/**
 * Throws `OperatorError` for a `migration:down` that would revert the first migration, and every call with it, or whose `--to` is no
 * migration that has run: MikroORM takes that for the very beginning.
 */
export async function checkDown(orm: Database, args: string[]): Promise<void> {
  const executed = (await orm.migrator.getExecuted()).map(({ name }) => name);
  const [first] = executed;
  if (first === undefined) return;
  const { to, only } = downOptions(args);
  if (to !== undefined && to !== "0" && !executed.includes(to))
    throw new OperatorError(
      `--to ${to} is no migration that has run. There are: ${executed.join(", ")}; the one that is named stays.`,
    );
  const revertsFirst =
    to === "0" || only?.split(/[, ]+/).includes(first) || (to === undefined && executed.length === 1);
  if (revertsFirst && !(await isEmpty(orm)))
    throw new OperatorError(
      `mikro-orm migration:down is refused: it would drop every call with ${first}. Drop the database yourself if that is what you want.`,
    );
}

function downOptions(args: string[]): { to: string | undefined; only: string | undefined } {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args,
    strict: false,
    options: { to: { ...text, short: "t" }, only: { ...text, short: "o" }, from: { ...text, short: "f" } },
  });
  const given = (value: unknown) => (typeof value === "string" ? value.replace(/^=/, "") : undefined);
  return { to: given(values["to"]), only: given(values["only"]) };
}
