import { type MikroORM } from "@mikro-orm/postgresql";
import { ConnectionRefusal } from "./connection-refusal.ts";
import { sqlStateOf } from "./sqlstate.ts";

const INSUFFICIENT_PRIVILEGE = "42501";

/** For a migration that failed because its role may not create tables: what its owner has to run. `null` for any other failure. */
export async function explainMissingPrivilege(
  orm: MikroORM,
  error: unknown,
): Promise<ConnectionRefusal | null> {
  if (sqlStateOf(error) !== INSUFFICIENT_PRIVILEGE || !(error instanceof Error)) return null;
  const [row] = await orm.em
    .fork()
    .execute<{ role: string; schema: string; grant: string; may_create: boolean }[]>(
      `select current_user as role, current_schema() as schema,
            format('GRANT CREATE ON SCHEMA %I TO %I', current_schema(), current_user) as grant,
            has_schema_privilege(current_schema(), 'create') as may_create`,
    );
  const said = error.message.split("\n")[0]!;
  const { role, schema, grant, may_create: mayCreate } = row!;
  return new ConnectionRefusal(
    mayCreate
      ? `The role "${role}" may not change the tables in schema "${schema}" (${said}): connect as the role that owns them.`
      : `The role "${role}" may not create tables in schema "${schema}" (${said}). As the schema's owner run: ${grant}`,
    { cause: error },
  );
}
