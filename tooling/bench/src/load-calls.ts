import { type Pool } from "pg";
import { INSERT_CALLS } from "./calls-sql.ts";
import { type Stretch } from "./history.ts";

const CHUNK = 100_000;
const CONNECTIONS = 2;

/** Loads stretches of calls, a chunk a statement, over two connections; `onProgress` is told after each how many calls are in. */
export async function loadCalls(
  pool: Pool,
  stretches: Stretch[],
  onProgress: (loaded: number) => void = () => {},
): Promise<void> {
  const chunks = stretches.flatMap(chunksOf);
  for (const month of new Set(stretches.flatMap(monthsOf)))
    await pool.query("select ensure_model_calls_partition($1::timestamptz)", [month]);
  let loaded = 0;
  const work = async () => {
    for (let chunk = chunks.shift(); chunk !== undefined; chunk = chunks.shift()) {
      const { rowCount } = await pool.query(INSERT_CALLS, chunk);
      loaded += rowCount ?? 0;
      onProgress(loaded);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
}

/** The parameters of `INSERT_CALLS`, chunk for chunk. */
function chunksOf({ userDid, users = 5_000, from, to, calls, callsPerSession }: Stretch): unknown[][] {
  const seconds = (to.getTime() - from.getTime()) / 1_000;
  const name = `${userDid ?? "all"}-${from.toISOString()}-`;
  return Array.from({ length: Math.ceil(calls / CHUNK) }, (_, i) => [
    i * CHUNK,
    Math.min(calls, (i + 1) * CHUNK) - 1,
    userDid,
    from.toISOString(),
    seconds,
    calls,
    callsPerSession,
    name,
    users,
  ]);
}

function monthsOf({ from, to }: Stretch): string[] {
  const months: string[] = [];
  for (let month = startOfMonth(from); month < to; month = startOfMonth(month, 1))
    months.push(month.toISOString());
  return months;
}

function startOfMonth(time: Date, ahead = 0): Date {
  return new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth() + ahead));
}
