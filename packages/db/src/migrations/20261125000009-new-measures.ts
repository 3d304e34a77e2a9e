import { limitsOf } from "./20261125000005-measure-limits.ts";
import { OnlineMigration } from "./online-migration.ts";

const TOKENS = ["cache_write_tokens", "reasoning_tokens"];
const MEASURES = [...TOKENS, "unpriced_calls"];
const ROLLUPS = ["model_call_stats", "model_call_model_stats", "model_call_detail_stats"];

const CREDITS_KNOWN = { name: "model_calls_credits_known_check", expression: "credits is not null" };

/**
 * Tokens that were written to a cache and tokens of reasoning; and credits that may be unknown, with how many calls that is so of
 * (docs/decisions/0037-unknown-is-not-zero.md). Calls of before keep the 0 that stands for both, so that the rollups of before are right.
 */
export class NewMeasures extends OnlineMigration {
  override async up(): Promise<void> {
    // First, so that nobody who knows the new columns of calls finds rollups without them.
    for (const table of ROLLUPS)
      await this.briefly([
        `alter table ${table} ${MEASURES.map((name) => `add column if not exists ${name} bigint not null default 0`).join(", ")}`,
      ]);
    await this.briefly([
      `alter table model_calls ${TOKENS.map((name) => `add column if not exists ${name} bigint`).join(", ")},
         alter column credits drop not null, alter column credits drop default`,
      ...CHECKS.map(addCheck),
    ]);
    await this.#validate(CHECKS.map(({ name }) => name));
  }

  /** Loses both kinds of tokens, and which calls nobody knew a price of: these have cost 0 again. Rejects them meanwhile. */
  override async down(): Promise<void> {
    await this.briefly([
      `alter table model_calls alter column credits set default 0`,
      addCheck(CREDITS_KNOWN),
    ]);
    for (const partition of await this.#partitions())
      await this.outsideTransaction(`update ${partition} set credits = 0 where credits is null`);
    await this.#validate([CREDITS_KNOWN.name]);
    await this.briefly([
      // What was validated is not looked through again.
      `alter table model_calls alter column credits set not null`,
      `alter table model_calls drop constraint ${CREDITS_KNOWN.name},
         ${TOKENS.map((name) => `drop column if exists ${name}`).join(", ")}`,
    ]);
    for (const table of ROLLUPS)
      await this.briefly([
        `alter table ${table} ${MEASURES.map((name) => `drop column if exists ${name}`).join(", ")}`,
      ]);
  }

  /** Looks through the partitions one by one, which readers and writers need not wait for; then nothing is left to be looked through. */
  async #validate(names: string[]): Promise<void> {
    const validations = names.map((name) => `validate constraint ${name}`).join(", ");
    for (const table of [...(await this.#partitions()), "model_calls"])
      await this.outsideTransaction(`alter table ${table} ${validations}`);
  }

  async #partitions(): Promise<string[]> {
    const rows = await this.outsideTransaction<{ partition: string }>(
      `select inhrelid::regclass as partition from pg_inherits where inhparent = 'model_calls'::regclass and not inhdetachpending`,
    );
    return rows.map(({ partition }) => partition);
  }
}

type Check = { name: string; expression: string };

const CHECKS = TOKENS.map((column): Check => ({
  name: `model_calls_${column}_check`,
  expression: limitsOf(column),
}));

/** Holds whoever writes from now on to a check, unless an earlier try did so. */
function addCheck({ name, expression }: Check): string {
  return `do $$ begin
    if not exists (select from pg_constraint where conrelid = 'model_calls'::regclass and conname = '${name}') then
      alter table model_calls add constraint ${name} check (${expression}) not valid;
    end if;
  end $$`;
}
