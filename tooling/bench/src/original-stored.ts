import { type Pool } from "pg";
import { addTo, emptyTotals, type Sums, type Totals } from "./original-totals.ts";
import { hoursOf } from "./original-way.ts";
import { type Periods } from "./periods.ts";

type StoredHour = {
  byType: Record<string, Sums>;
  models?: (Sums & { providerId: string; model: string })[];
};

/** The asked-for fix when every hour is stored: one JSON row an hour, both periods at once, added up here. */
export function readStoredHours(pool: Pool, userDid: string, periods: Periods): Promise<Totals[]> {
  return readHours(pool, "original_hourly_stats", userDid, periods);
}

/** The same with narrower rows, which do not know the models: less than an answer. */
export function readStoredTypes(pool: Pool, userDid: string, periods: Periods): Promise<Totals[]> {
  return readHours(pool, "original_hourly_stats_by_type", userDid, periods);
}

/** The same as the original's code has it: the narrower rows, and the models by two scans of raw calls. */
export async function readStoredTypesAndModels(
  pool: Pool,
  userDid: string,
  periods: Periods,
): Promise<Totals[]> {
  const totals = await readStoredTypes(pool, userDid, periods);
  const params = [userDid, periods.current.from.toISOString(), periods.current.to.toISOString()];
  const calls = "from original_model_calls where user_did = $1 and call_time >= $2 and call_time < $3";
  await pool.query(
    `select min(provider_id), model, count(*), sum(total_usage), sum(credits) ${calls} group by model order by 3 desc limit 5`,
    params,
  );
  await pool.query(`select count(distinct model) ${calls}`, params);
  return totals;
}

function readHours(pool: Pool, table: string, userDid: string, periods: Periods): Promise<Totals[]> {
  const readPeriod = async (hours: string[]) => {
    const list = hours.map((_, i) => `$${i + 2}`).join(", ");
    const { rows } = await pool.query<{ stats: StoredHour }>(
      `select timestamp, stats from ${table} where user_did = $1 and time_type = 'hour' and timestamp in (${list})`,
      [userDid, ...hours],
    );
    if (rows.length !== hours.length) throw new Error(`${rows.length} of ${hours.length} hours are stored`);
    return addUp(rows.map(({ stats }) => stats));
  };
  return Promise.all([periods.current, periods.previous].map((period) => readPeriod(hoursOf(period))));
}

function addUp(hours: StoredHour[]): Totals {
  const totals = emptyTotals();
  for (const { byType, models = [] } of hours) {
    addTo(
      totals,
      Object.entries(byType).map(([type, sums]) => ({ type, ...sums })),
    );
    for (const { providerId, model, totalCalls } of models) {
      const key = `${providerId}/${model}`;
      totals.models.set(key, (totals.models.get(key) ?? 0) + totalCalls);
    }
  }
  return totals;
}
