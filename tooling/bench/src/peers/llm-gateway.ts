import { type Pool } from "pg";
import { type TimeRange } from "@usage-stats/core";
import { type Periods } from "../periods.ts";
import { CALL_SUMS, measureList } from "./call-sums-sql.ts";
import { addUpDays, addUpModels, type PeerDay } from "./peer-answer.ts";
import { type Peer, utcDay } from "./peer.ts";

// The columns that our calls have nothing for are there with their defaults, because a row's width is part of its cost.
const IDLE_COUNTS = [
  "cache",
  "streamed",
  "non_streamed",
  "length_limit",
  "content_filter",
  "tool_calls",
  "canceled",
];
const IDLE_TOKENS = ["reasoning_tokens", "cache_write_tokens", "image_input_tokens", "image_output_tokens"];
const IDLE_COSTS = ["input", "output", "request", "data_storage", "cached_input", "credits", "api_keys"];

/**
 * LLM Gateway's way: a row a project, hour, model and provider, grouped by day and model in SQL, a statement a period. Rewritten from
 * what is public of its schema (`project_hourly_model_stats`); the user stands for its project.
 */
export async function createLlmGateway(pool: Pool, from: Date, to: Date): Promise<Peer> {
  await pool.query(`
    create table peers.gateway_hourly (
      id text primary key default gen_random_uuid()::text,
      created_at timestamp not null default now(), updated_at timestamp not null default now(),
      project_id text not null, hour_timestamp timestamp not null, used_model text not null, used_provider text not null,
      request_count int not null, completed_count int not null, error_count int not null,
      ${IDLE_COUNTS.map((name) => `${name}_count int not null default 0`).join(", ")},
      input_tokens numeric not null, output_tokens numeric not null, cached_tokens numeric not null,
      ${IDLE_TOKENS.map((name) => `${name} numeric not null default 0`).join(", ")},
      cost double precision not null,
      ${IDLE_COSTS.map((name) => `${name}_cost double precision not null default 0`).join(", ")},
      unique (project_id, hour_timestamp, used_model, used_provider)
    )`);
  await pool.query("create index on peers.gateway_hourly (hour_timestamp)");
  await pool.query(
    `insert into peers.gateway_hourly
       (project_id, hour_timestamp, used_model, used_provider, request_count, completed_count, error_count,
        input_tokens, output_tokens, cached_tokens, cost)
     select user_did, date_trunc('hour', call_time at time zone 'UTC'), model, provider_id, ${CALL_SUMS.calls},
            ${CALL_SUMS.successCalls}, ${CALL_SUMS.failedCalls}, ${CALL_SUMS.inputTokens}, ${CALL_SUMS.outputTokens},
            ${CALL_SUMS.cachedInputTokens}, ${CALL_SUMS.credits}
       from model_calls where call_time >= $1 and call_time < $2 group by user_did, 2, model, provider_id`,
    [from.toISOString(), to.toISOString()],
  );
  const readPeriod = async (userDid: string, range: TimeRange) => {
    const { rows } = await pool.query<PeerDay & { model: string }>({
      name: "llm-gateway",
      text: `select to_char(date(hour_timestamp), 'YYYY-MM-DD') as day, used_provider || '/' || used_model as model, ${SUMS}
               from peers.gateway_hourly where project_id = $1 and hour_timestamp >= $2 and hour_timestamp < $3
              group by date(hour_timestamp), used_model, used_provider`,
      values: [userDid, range.from.toISOString(), range.to.toISOString()],
    });
    return rows;
  };
  return {
    name: "LLM Gateway's table",
    rounds: 20,
    async read(userDid: string, { current, previous }: Periods) {
      const [now, before] = await Promise.all([readPeriod(userDid, current), readPeriod(userDid, previous)]);
      return { ...addUpDays([...before, ...now], utcDay(current.from)), models: addUpModels(now) };
    },
  };
}

const SUMS = measureList(
  (name) =>
    ({
      calls: "sum(request_count)",
      successCalls: "sum(completed_count)",
      failedCalls: "sum(error_count)",
      inputTokens: "sum(input_tokens)",
      outputTokens: "sum(output_tokens)",
      cachedInputTokens: "sum(cached_tokens)",
      credits: "sum(cost)",
    })[name],
);
