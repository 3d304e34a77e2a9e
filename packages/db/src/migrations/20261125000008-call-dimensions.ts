import { OnlineMigration } from "./online-migration.ts";

/** Names of at most 256 bytes, which may be unknown. */
const NAMES = ["key_id", "run_id", "parent_run_id", "conversation_id"];

/** The limits that the API has, too. Eight tags of 32 and 128 bytes are less than 4 kB, however JSON writes them. */
export const DIMENSION_CHECKS = [
  {
    name: "model_calls_dimensions_check",
    expression: NAMES.map((column) => `${column} <> '' and octet_length(${column}) <= 256`).join(" and "),
  },
  {
    name: "model_calls_tags_check",
    expression: `jsonb_typeof(tags) = 'object' and tags <> '{}' and octet_length(tags::text) <= 4096`,
  },
];

/** The ways to the calls of a run, of the runs that a run began, and of a conversation: of nothing where nobody says these. */
export const DIMENSION_INDEXES = ["run_id", "parent_run_id", "conversation_id"].map((column) => ({
  column,
  name: `idx_model_calls_user_${column}`,
}));

/**
 * What a call may say besides: which key made it, the operator's tags, and the run and conversation that it belongs to
 * (docs/decisions/0036-keys-tags-and-runs-on-calls.md). Partitions get their indexes one by one, without a lock; later ones with the
 * parent's.
 */
export class CallDimensions extends OnlineMigration {
  override async up(): Promise<void> {
    await this.briefly([
      `alter table model_calls ${NAMES.map((column) => `add column if not exists ${column} text`).join(", ")},
         add column if not exists tags jsonb`,
      ...DIMENSION_CHECKS.map(
        ({ name, expression }) => `do $$ begin
          if not exists (select from pg_constraint where conrelid = 'model_calls'::regclass and conname = '${name}') then
            alter table model_calls add constraint ${name} check (${expression}) not valid;
          end if;
        end $$`,
      ),
      ...DIMENSION_INDEXES.map(
        ({ column, name }) =>
          `create index if not exists ${name} on only model_calls (user_did, ${column}) where ${column} is not null`,
      ),
    ]);
    for (const partition of await this.#partitions()) {
      for (const { name } of DIMENSION_CHECKS)
        await this.outsideTransaction(`alter table ${partition.table} validate constraint ${name}`);
      for (const index of DIMENSION_INDEXES) await this.#build(partition, index);
    }
    // Nothing is left to be looked through.
    for (const { name } of DIMENSION_CHECKS)
      await this.outsideTransaction(`alter table model_calls validate constraint ${name}`);
  }

  override async down(): Promise<void> {
    // Which key made a call, its tags, its runs and its conversation are forgotten; what it cost stays.
    await this.briefly([
      `alter table model_calls ${DIMENSION_CHECKS.map(({ name }) => `drop constraint if exists ${name}`).join(", ")}`,
      `alter table model_calls ${[...NAMES, "tags"].map((column) => `drop column if exists ${column}`).join(", ")}`,
    ]);
  }

  #partitions(): Promise<Partition[]> {
    return this.outsideTransaction<Partition>(
      `select format('%I.%I', nspname, relname) as table, nspname as schema, relname as name
         from pg_inherits join pg_class on pg_class.oid = inhrelid join pg_namespace on pg_namespace.oid = relnamespace
        where inhparent = 'model_calls'::regclass and not inhdetachpending order by relname`,
    );
  }

  /** Makes a partition's part of an index, unless it has one. */
  async #build({ table, schema, name }: Partition, { column, name: parent }: Index): Promise<void> {
    const own = `"${schema}"."${name}_user_${column}_idx"`;
    const [state] = await this.outsideTransaction<{ is_attached: boolean; is_valid: boolean | null }>(
      `select exists (select from pg_inherits join pg_index on indexrelid = inhrelid
                       where inhparent = '${parent}'::regclass and indrelid = '${table}'::regclass) as is_attached,
              (select indisvalid from pg_index where indexrelid = to_regclass('${own}')) as is_valid`,
    );
    if (state!.is_attached) return;
    // What is left of a try that was ended.
    if (state!.is_valid === false) await this.outsideTransaction(`drop index concurrently ${own}`);
    if (state!.is_valid !== true)
      await this.outsideTransaction(
        `create index concurrently "${name}_user_${column}_idx" on ${table} (user_did, ${column}) where ${column} is not null`,
      );
    await this.briefly([`alter index ${parent} attach partition ${own}`]);
  }
}

type Partition = { table: string; schema: string; name: string };
type Index = (typeof DIMENSION_INDEXES)[number];
