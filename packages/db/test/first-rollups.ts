import { FIRST_MEASURES } from "../src/migrations/20261123000002-model-call-stats.ts";

const LEVELS = {
  model_call_stats: ["type"],
  model_call_model_stats: ["type", "provider_id", "model"],
  model_call_detail_stats: ["type", "provider_id", "model", "app_did", "status"],
};
const STARTS = {
  quarter: "quarter_of(call_time)",
  hour: "date_trunc('hour', call_time, 'UTC')",
  day: "date_trunc('day', call_time, 'UTC')",
};

/** Rolls up successful calls that know no tokens as the first release did: today's rolling up may know columns that are not there yet. */
export async function rollUpAsThen(run: (sql: string) => Promise<unknown>): Promise<void> {
  for (const [table, dimensions] of Object.entries(LEVELS))
    for (const [grain, start] of Object.entries(STARTS)) {
      const values = dimensions.map((name) => (name === "app_did" ? "''" : name)).join(", ");
      await run(`insert into ${table} (user_did, time_type, timestamp, ${dimensions.join(", ")}, ${FIRST_MEASURES.join(", ")})
        select whose.name, '${grain}', ${start}, ${values}, count(*), count(*), 0, 0, 0, 0, sum(total_usage), sum(credits), 0, 0, 0, 0
          from model_calls cross join lateral (values (user_did), ('')) as whose(name)
         group by whose.name, ${start}, ${dimensions.join(", ")}`);
    }
  await run("delete from model_call_changes");
}
