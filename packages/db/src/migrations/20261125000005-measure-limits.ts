import { sqlStateOf } from "../connection/sqlstate.ts";
import { OnlineMigration } from "./online-migration.ts";

/** The numbers of a call in the first release, which share a check. */
export const FIRST_NUMBERS = [
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "total_usage",
  "duration_ms",
  "ttfb_ms",
];

/** The limits that the API has, too. With them no sum that a rollup keeps can be too large for its column. */
export const MEASURES_CHECK = {
  name: "model_calls_measures_check",
  expression: [...FIRST_NUMBERS.map(limitsOf), "credits >= 0 and credits <> 'NaN'"].join(" and "),
};

/** The limits that the API has, for one number of a call. */
export function limitsOf(column: string): string {
  return `${column} >= 0 and ${column} <= 1000000000000`;
}

const CHECK_VIOLATION = "23514";

/**
 * Holds every writer to measures that can be added up. Calls that are there already and break the rule stay as they are: the
 * upgrade goes on, says so, and new ones are refused all the same.
 */
export class MeasureLimits extends OnlineMigration {
  override async up(): Promise<void> {
    const { name, expression } = MEASURES_CHECK;
    await this.briefly([
      `do $$ begin
        if not exists (select from pg_constraint where conrelid = 'model_calls'::regclass and conname = '${name}') then
          alter table model_calls add constraint ${name} check (${expression}) not valid;
        end if;
      end $$`,
    ]);
    const partitions = await this.outsideTransaction<{ partition: string }>(
      `select inhrelid::regclass as partition from pg_inherits where inhparent = 'model_calls'::regclass and not inhdetachpending`,
    );
    let isValid = true;
    for (const { partition } of partitions) isValid = (await this.#isValid(partition)) && isValid;
    // Nothing is left to be looked through.
    if (isValid) await this.outsideTransaction(`alter table model_calls validate constraint ${name}`);
  }

  override async down(): Promise<void> {
    await this.briefly([`alter table model_calls drop constraint if exists ${MEASURES_CHECK.name}`]);
  }

  /** Looks through a partition, which readers and writers need not wait for. */
  async #isValid(partition: string): Promise<boolean> {
    try {
      await this.outsideTransaction(`alter table ${partition} validate constraint ${MEASURES_CHECK.name}`);
      return true;
    } catch (error) {
      if (sqlStateOf(error) !== CHECK_VIOLATION) throw error;
    }
    process.emitWarning(
      `Some calls in ${partition} have measures that no call can have (less than 0, more than 10^12, or NaN). They stay as they are, and new ones are refused. ` +
        `Find them with: select * from ${partition} where not (${MEASURES_CHECK.expression})`,
    );
    // What is not a number adds nothing from now on.
    await this.outsideTransaction(
      `insert into model_call_changes select distinct user_did, quarter_of(call_time) from ${partition} where credits = 'NaN'`,
    );
    return false;
  }
}
