import { type Pool } from "pg";
import { type Database, openDatabase } from "../src/index.ts";

/** What databases and roles are set to by people who never thought of us. */
export const ODD_SESSIONS: Record<string, string>[] = [
  { datestyle: "SQL, DMY" },
  { datestyle: "German, DMY", intervalstyle: "sql_standard" },
  { datestyle: "Postgres, DMY", timezone: "Asia/Kathmandu" },
  { datestyle: "SQL, MDY", timezone: "America/New_York" },
  { intervalstyle: "iso_8601", timezone: "Pacific/Chatham" },
  { extra_float_digits: "-15", bytea_output: "escape", xmloption: "document" },
];

/** Opens a database whose sessions are set so after all: nothing may lean on what the connection was set to. */
export async function openOddly(url: string, settings: Record<string, string>): Promise<Database> {
  const orm = await openDatabase({ url });
  const pool: Pool = await orm.em.getConnection().getNativeClient();
  if (Object.keys(settings).length === 0) return orm;
  const all = Object.entries(settings).map(([name, value]) => `set_config('${name}', '${value}', false)`);
  pool.on("connect", (client) => void client.query(`select ${all.join(", ")}`));
  return orm;
}
