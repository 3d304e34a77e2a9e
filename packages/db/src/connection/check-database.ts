import { ConnectionRefusal } from "./connection-refusal.ts";
import { type ConnectionTarget, connectionTarget } from "./connection-target.ts";
import { clientConfig, DatabaseClient } from "./database-client.ts";
import { explainFailure, placeOf } from "./explain-failure.ts";
import { findTransactionPooling } from "./find-transaction-pooling.ts";
import { prepareSession } from "./prepare-session.ts";

/** What a database is that is fit for use. */
export type DatabaseState = {
  /** Where everything is: the schema that the search path finds it in or, in a new database, the first that exists. */
  schema: string;
  /** The search path that begins there, where the one that sessions have does not. */
  searchPath: string | null;
  /** Everybody else's. */
  otherSchemas: string[];
};

// `unnest` in many forms, `client_connection_check_interval` beyond Linux, and what is tested.
const OLDEST = 15;
const CONNECT_TIMEOUT_MS = 10_000;
const SECOND_CONNECTION_MS = 3_000;

/**
 * Connects, and looks at what would make answers wrong or statements fail later. Throws `ConnectionRefusal`, in one sentence,
 * also where it cannot connect.
 */
export async function checkDatabase(url: string): Promise<DatabaseState> {
  const target = connectionTarget(url);
  const client = connectionTo(url, CONNECT_TIMEOUT_MS);
  try {
    await client.connect();
    await refuseTransactionPooling(client, url);
    const state = await examine(client, target);
    const { session } = clientConfig({ url, applicationName: "usage-stats check" });
    await prepareSession(client, session);
    return state;
  } catch (error) {
    throw connectionRefusalOf(error, url, target);
  } finally {
    await client.end();
  }
}

// Its sessions stay as they are: where connections are pooled by transaction, what is set on one is left to others.
function connectionTo(url: string, connectTimeoutMs: number): DatabaseClient {
  const settings = {
    url,
    applicationName: "usage-stats check",
    connectTimeoutMs,
    queryTimeoutMs: connectTimeoutMs,
  };
  return new DatabaseClient({ ...clientConfig(settings), session: null });
}

type Found = {
  version: number;
  release: string;
  encoding: string;
  first: string | null;
  installed: string | null;
  schemas: string[];
  path: string;
  replication: string;
};

// The migrations' table is of the same name in every program that uses MikroORM, and calls may be anybody's: both are ours.
const FACTS = `
  select current_setting('server_version_num')::int / 10000 as version, current_setting('server_version') as release,
         current_setting('server_encoding') as encoding, current_setting('search_path') as path,
         current_setting('session_replication_role') as replication, current_schema()::text as first,
         (select nspname::text from pg_class calls join pg_namespace n on n.oid = calls.relnamespace
           where calls.oid = to_regclass('model_calls')
             and exists (select from pg_class where relnamespace = n.oid and relname = 'mikro_orm_migrations')) as installed,
         array(select nspname::text from pg_namespace) as schemas`;

async function examine(client: DatabaseClient, target: ConnectionTarget): Promise<DatabaseState> {
  const searchPath = target.session["search_path"];
  await client.query("begin");
  if (searchPath !== undefined)
    await client.query("select set_config('search_path', $1, true)", [searchPath]);
  const { rows } = await client.query<Found>(FACTS);
  await client.query("rollback");
  const { version, release, encoding, first, installed, schemas, path, replication } = rows[0]!;
  const schema = installed ?? first;
  const [place, database] = [placeOf(target), JSON.stringify(target.database)];
  if (version < OLDEST) {
    throw new ConnectionRefusal(
      `The Postgres at ${place} is version ${release}; ${OLDEST} is the oldest that works.`,
    );
  }
  if (encoding !== "UTF8") {
    throw new ConnectionRefusal(
      `The database ${database} on ${place} is encoded in ${encoding}, and names are of all scripts: UTF8 is required. ` +
        `Create another: createdb -T template0 -E UTF8 …`,
    );
  }
  if (schema === null) {
    throw new ConnectionRefusal(
      `The search path (${path}) of "${target.user}" in database ${database} on ${place} leads to no schema: create one, ` +
        `or name one that exists with options=-csearch_path%3Dname in DATABASE_URL.`,
    );
  }
  if (replication === "replica") {
    throw new ConnectionRefusal(
      `session_replication_role is replica for "${target.user}" in database ${database} on ${place}: changes would not be noticed. ` +
        `Set it to origin: ALTER DATABASE ${database} RESET session_replication_role`,
    );
  }
  return {
    schema,
    searchPath: schema === first ? null : `${client.escapeIdentifier(schema)}, ${path}`,
    otherSchemas: schemas.filter((name) => name !== schema),
  };
}

/** Throws where what is set on a connection does not stay there. Where no second session is to be had, nothing can be said. */
async function refuseTransactionPooling(client: DatabaseClient, url: string): Promise<void> {
  const other = connectionTo(url, SECOND_CONNECTION_MS);
  try {
    await other.connect();
    if (!(await findTransactionPooling(client, other))) return;
  } catch {
    return;
  } finally {
    await other.end();
  }
  throw new ConnectionRefusal(
    `Connections at ${placeOf(connectionTarget(url))} are pooled by transaction; settings, prepared statements and ` +
      `notifications need a session each. Set pool_mode = session in PgBouncer, or connect to Postgres itself.`,
  );
}

function connectionRefusalOf(error: unknown, url: string, target: ConnectionTarget): unknown {
  if (error instanceof ConnectionRefusal || !(error instanceof Error)) return error;
  const said =
    explainFailure(error, url) ??
    `The database at ${placeOf(target)} cannot be used: ${error.message.split("\n")[0]}.`;
  return new ConnectionRefusal(said, { cause: error });
}
