import { Migration } from "@mikro-orm/migrations";

/** Functions that name tables, and so depended on the search path of whoever writes. `quarter_of` was bound to what it names when it was made. */
const FUNCTIONS = [
  "log_model_call_changes()",
  "add_model_calls_triggers(regclass)",
  "announce_changes(text[])",
  "announce_model_call_changes()",
  "announce_api_key_change()",
];

/**
 * Has every function look for its tables in the schema they are in, whatever the search path of whoever writes: a restore's is empty,
 * and another schema of the same database may have tables of the same names.
 */
export class OwnSchema extends Migration {
  override up(): void {
    for (const name of FUNCTIONS) this.addSql(inOwnSchema(name));
  }

  override down(): void {
    for (const name of FUNCTIONS) this.addSql(`alter function ${name} reset search_path`);
  }
}

/** Binds a function to the schema that the migration runs in. */
export function inOwnSchema(name: string): string {
  return `do $$ begin
      execute format('alter function ${name} set search_path = %I, pg_temp', current_schema());
    end $$`;
}
