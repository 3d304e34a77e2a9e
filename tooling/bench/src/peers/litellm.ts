import { type Pool } from "pg";
import { type Periods } from "../periods.ts";
import { CALL_SUMS, measureList } from "./call-sums-sql.ts";
import { addUpDays, addUpModels, type PeerDay, type PeerSums } from "./peer-answer.ts";
import { type Peer, utcDay } from "./peer.ts";

// Which of its columns holds which measure.
const COLUMNS: Record<keyof PeerSums, string> = {
  calls: "api_requests",
  successCalls: "successful_requests",
  failedCalls: "failed_requests",
  inputTokens: "prompt_tokens",
  outputTokens: "completion_tokens",
  cachedInputTokens: "cache_read_input_tokens",
  credits: "spend",
};
const MEASURES = Object.keys(COLUMNS) as (keyof PeerSums)[];

/**
 * LiteLLM's way: a row a user, UTC day, key, model and provider, all rows of a range read and added up by the program. Rewritten from
 * what is public of its schema (`LiteLLM_DailyUserSpend`); the app stands for its key. At its best: only the columns that
 * are needed are read, and both periods at once.
 */
export async function createLitellm(pool: Pool, from: Date, to: Date): Promise<Peer> {
  await pool.query(`
    create table peers.litellm_daily (
      id text primary key default gen_random_uuid()::text,
      user_id text, date text not null, api_key text not null, model text, model_group text, custom_llm_provider text,
      mcp_namespaced_tool_name text, endpoint text,
      prompt_tokens bigint not null, completion_tokens bigint not null, cache_read_input_tokens bigint not null,
      cache_creation_input_tokens bigint not null default 0, spend double precision not null,
      api_requests bigint not null, successful_requests bigint not null, failed_requests bigint not null,
      created_at timestamp(3) not null default now(), updated_at timestamp(3) not null default now(),
      unique (user_id, date, api_key, model, custom_llm_provider, mcp_namespaced_tool_name, endpoint)
    )`);
  for (const column of ["date", "user_id", "api_key", "model"])
    await pool.query(`create index on peers.litellm_daily (${column})`);
  await pool.query(
    `insert into peers.litellm_daily
       (user_id, date, api_key, model, model_group, custom_llm_provider, mcp_namespaced_tool_name, endpoint,
        ${MEASURES.map((name) => COLUMNS[name]).join(", ")})
     select user_did, to_char(call_time at time zone 'UTC', 'YYYY-MM-DD'), coalesce(app_did, ''), model, model, provider_id, '', '',
            ${MEASURES.map((name) => CALL_SUMS[name]).join(", ")}
       from model_calls where call_time >= $1 and call_time < $2
      group by user_did, 2, 3, model, provider_id`,
    [from.toISOString(), to.toISOString()],
  );
  return {
    name: "LiteLLM's table",
    rounds: 20,
    async read(userDid: string, { current, previous }: Periods) {
      const { rows } = await pool.query<PeerDay & { model: string }>({
        name: "litellm",
        text: `select date as day, custom_llm_provider || '/' || model as model, ${measureList((name) => COLUMNS[name])}
                 from peers.litellm_daily where user_id = $1 and date >= $2 and date < $3`,
        values: [userDid, utcDay(previous.from), utcDay(current.to)],
      });
      const firstDay = utcDay(current.from);
      return {
        ...addUpDays(rows, firstDay),
        models: addUpModels(rows.filter(({ day }) => day >= firstDay)),
      };
    },
  };
}
