import { type Pool } from "pg";
import { addTo, emptyTotals, type Sums, type Totals } from "./original-totals.ts";
import { type Periods } from "./periods.ts";

const HOUR = 3_600_000;
const BATCH = 50;

/** The original: one lookup after the other, an hour each, over raw calls with its one index. */
export async function readHourByHour(pool: Pool, userDid: string, periods: Periods): Promise<Totals[]> {
  const answer: Totals[] = [];
  for (const period of [periods.current, periods.previous]) {
    const totals = emptyTotals();
    for (const hour of hoursOf(period))
      addTo(totals, await computeHour(pool, "original_model_calls", userDid, hour));
    answer.push(totals);
  }
  return answer;
}

/** The asked-for fix when nothing is stored yet: 50 missing hours at a time, over raw calls by the composite index. */
export async function readInBatches(pool: Pool, userDid: string, periods: Periods): Promise<Totals[]> {
  const answer: Totals[] = [];
  for (const period of [periods.current, periods.previous]) {
    const totals = emptyTotals();
    const hours = hoursOf(period);
    for (let i = 0; i < hours.length; i += BATCH) {
      const batch = hours.slice(i, i + BATCH).map((hour) => computeHour(pool, "model_calls", userDid, hour));
      for (const rows of await Promise.all(batch)) addTo(totals, rows);
    }
    answer.push(totals);
  }
  return answer;
}

async function computeHour(pool: Pool, table: string, userDid: string, hour: string) {
  const { rows } = await pool.query<Sums & { type: string }>(
    `select type, coalesce(sum(total_usage), 0)::float8 as "totalUsage", sum(credits)::float8 as "totalCredits",
            count(*)::int as "totalCalls", (count(*) filter (where status = 'success'))::int as "successCalls"
       from ${table} where user_did = $1 and call_time >= $2 and call_time < $3 group by type`,
    [userDid, hour, new Date(Date.parse(hour) + HOUR).toISOString()],
  );
  return rows;
}

/** The starts of a period's hours. */
export function hoursOf({ from, to }: { from: Date; to: Date }): string[] {
  const count = (to.getTime() - from.getTime()) / HOUR;
  return Array.from({ length: count }, (_, i) => new Date(from.getTime() + i * HOUR).toISOString());
}
