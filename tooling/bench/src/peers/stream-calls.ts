import { type Pool } from "pg";

/** Calls in the order and with the values of `CALL_COLUMNS`, some thousands at a time, sorted by user and time. Can be asked for again. */
export type RowsOfCalls = () => AsyncGenerator<CallRow[]>;
export type CallRow = [string, string, string, number, number, number, number, number];

const AT_A_TIME = 20_000;

/** Reads the calls of a range from Postgres, for peers that keep them elsewhere. */
export function streamCalls(pool: Pool, from: Date, to: Date): RowsOfCalls {
  return async function* () {
    const client = await pool.connect();
    try {
      await client.query("begin");
      await client.query(
        `declare calls no scroll cursor for
         select user_did, to_char(call_time at time zone 'UTC', 'YYYY-MM-DD'), provider_id || '/' || model,
                (status = 'success')::int, coalesce(input_tokens, 0)::float8, coalesce(output_tokens, 0)::float8,
                coalesce(cached_input_tokens, 0)::float8, credits::float8
           from model_calls where call_time >= '${from.toISOString()}' and call_time < '${to.toISOString()}'
          order by user_did, call_time`,
      );
      while (true) {
        const { rows } = await client.query<CallRow>({
          text: `fetch ${AT_A_TIME} from calls`,
          rowMode: "array",
        });
        if (rows.length === 0) return;
        yield rows;
      }
    } finally {
      await client.query("rollback");
      client.release();
    }
  };
}
