import { OnlineMigration } from "./online-migration.ts";

const NAME = "idx_model_calls_user_time_type";

/**
 * One key for who a call is and for reading by time: `(user_did, call_time, id)` instead of `(user_did, id, call_time)` and an index by
 * time beside it, which the planner took for looking calls up, and then read all calls of an instant for each
 * (docs/decisions/0015-one-key-for-identity-and-time.md). Partitions get theirs one by one, without a lock; only then are the keys exchanged.
 */
export class OneKey extends OnlineMigration {
  override async up(): Promise<void> {
    await this.#exchange(
      [{ suffix: "key_by_time", unique: true, columns: "user_did, call_time, id" }],
      [`alter table model_calls drop constraint if exists model_calls_pkey`, `drop index if exists ${NAME}`],
      [`alter table model_calls add constraint ${NAME} primary key (user_did, call_time, id)`],
    );
  }

  override async down(): Promise<void> {
    await this.#exchange(
      [
        { suffix: "key_by_id", unique: true, columns: "user_did, id, call_time" },
        { suffix: "user_time_type", unique: false, columns: "user_did, call_time, type" },
      ],
      [`alter table model_calls drop constraint if exists ${NAME}`],
      [
        `alter table model_calls add constraint model_calls_pkey primary key (user_did, id, call_time)`,
        `create index ${NAME} on model_calls (user_did, call_time, type)`,
      ],
    );
  }

  /** Builds indexes on every partition; then drops what was there and makes the key of the ones that are unique, for all at once. */
  async #exchange(indexes: Index[], drops: string[], makes: string[]): Promise<void> {
    for (const partition of await this.#partitions())
      for (const index of indexes) await this.#build(partition, index);
    const keys = indexes.filter(({ unique }) => unique);
    await this.briefly([
      // A partition that was made meanwhile is nearly empty: its indexes are built with the parent's.
      `lock table model_calls in access exclusive mode`,
      ...drops,
      ...keys.map(
        ({ suffix }) => `
        do $$ declare built record; begin
          for built in select partition.relname, index.relname as index_name, namespace.nspname
                         from pg_inherits join pg_class as partition on partition.oid = inhrelid
                         join pg_namespace as namespace on namespace.oid = partition.relnamespace
                         join pg_index on indrelid = inhrelid join pg_class as index on index.oid = indexrelid
                        where inhparent = 'model_calls'::regclass and index.relname = partition.relname || '_${suffix}' loop
            execute format('alter table %I.%I add constraint %I primary key using index %I',
              built.nspname, built.relname, built.relname || '_pkey', built.index_name);
          end loop;
        end $$`,
      ),
      ...makes,
    ]);
  }

  #partitions(): Promise<Partition[]> {
    return this.outsideTransaction<Partition>(
      `select format('%I.%I', nspname, relname) as table, nspname as schema, relname as name
         from pg_inherits join pg_class on pg_class.oid = inhrelid join pg_namespace on pg_namespace.oid = relnamespace
        where inhparent = 'model_calls'::regclass and not inhdetachpending order by relname`,
    );
  }

  async #build({ table, schema, name }: Partition, { suffix, unique, columns }: Index): Promise<void> {
    const index = `"${name}_${suffix}"`;
    const [old] = await this.outsideTransaction<{ is_valid: boolean }>(
      `select indisvalid as is_valid from pg_index
        where indrelid = '${table}'::regclass and indexrelid = to_regclass('"${schema}".${index}')`,
    );
    if (old?.is_valid === true) return;
    // What is left of a try that was ended.
    if (old !== undefined) await this.outsideTransaction(`drop index concurrently "${schema}".${index}`);
    await this.outsideTransaction(
      `create ${unique ? "unique " : ""}index concurrently ${index} on ${table} (${columns})`,
    );
  }
}

type Partition = { table: string; schema: string; name: string };
type Index = { suffix: string; unique: boolean; columns: string };
