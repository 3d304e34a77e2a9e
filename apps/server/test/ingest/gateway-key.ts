import { type TestServer } from "../test-server.ts";

const ROOT = { user: "did:abt:z1root", role: "admin" as const };

/** The text of an API key that may record calls and do nothing else. */
export async function gatewayKey(server: TestServer): Promise<string> {
  return (await server.client(ROOT).admin.keys.create({ name: "gateway", scopes: ["calls:write"] })).text;
}

/** Every call that is stored, without what the database adds. */
export async function storedCalls(server: TestServer): Promise<Record<string, unknown>[]> {
  const rows = await server.database.orm.em
    .fork()
    .execute<{ call_time: string; [column: string]: unknown }[]>(
      `select user_did, id, app_did, provider_id, model, type, status, call_time, input_tokens::int, output_tokens::int,
              cached_input_tokens::int, cache_write_tokens::int, reasoning_tokens::int, total_usage::int, credits::text, duration_ms::int, ttfb_ms::int, error_reason,
              request_id, trace_id, metadata
         from model_calls order by call_time, id`,
    );
  return rows.map((row) => ({ ...row, call_time: new Date(row.call_time) }));
}
