import { Client, DatabaseError } from "pg";

const DATABASE = "usage_stats";
const SUPERUSER = "postgres";

/** The connection string of the application's database on a local server. */
export function databaseUrl(port: number, password: string, database = DATABASE): string {
  return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
}

/** Proves that the server answers, and creates the application's database where it is missing. */
export async function ensureDatabase(port: number, password: string): Promise<void> {
  try {
    await withClient(databaseUrl(port, password), (client) => client.query("select 1"));
  } catch (error) {
    if (!hasCode(error, "3D000")) throw error;
    await withClient(databaseUrl(port, password, "postgres"), createDatabase);
  }
}

/** Whether a power cut would lose committed work: the server was started with fsync off. */
export async function isRelaxed(url: string): Promise<boolean> {
  return withClient(
    url,
    async (client) => (await client.query<{ fsync: string }>("show fsync")).rows[0]?.fsync === "off",
  );
}

/** Whether the server is there and refuses the password. */
export function isWrongPassword(error: unknown): boolean {
  return hasCode(error, "28P01");
}

async function createDatabase(client: Client): Promise<void> {
  try {
    await client.query(`create database ${DATABASE}`);
  } catch (error) {
    // Two first starts at once: the other one made it (duplicate_database, or the catalog's unique index).
    if (!hasCode(error, "42P04", "23505")) throw error;
  }
}

async function withClient<T>(connectionString: string, use: (client: Client) => Promise<T>): Promise<T> {
  // `ssl: false`: a PGSSLMODE in the environment is meant for other servers.
  const client = new Client({ connectionString, ssl: false, connectionTimeoutMillis: 5_000 });
  let broken: Error | undefined;
  client.on("error", (error: Error) => (broken = error));
  try {
    await client.connect();
    const result = await use(client);
    if (broken) throw broken;
    return result;
  } finally {
    await client.end();
  }
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof DatabaseError && codes.includes(error.code ?? "");
}
