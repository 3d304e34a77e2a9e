import { readCallsBody, readRecordCallsQuery, recordCalls } from "@usage-stats/api";
import { type Hono } from "hono";
import { readBodyText } from "../http/read-body-text.ts";
import { type AppEnv } from "../http/http-request.ts";
import { serveOperation } from "../http/serve-operation.ts";

const NDJSON = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** Where gateways send calls to. */
export function modelCallsRoute(app: Hono<AppEnv>, { maxIngestBytes }: { maxIngestBytes: number }): void {
  serveOperation(app, "POST /app/api/model-calls", async (ctx, context) => {
    const rules = { maxBytes: maxIngestBytes, types: ["application/json", ...NDJSON], gzip: true };
    const { text, type } = await readBodyText(context.req.raw, rules);
    const format = NDJSON.includes(type) ? "ndjson" : "json";
    const calls = text === "" ? [] : readCallsBody(text, format, ctx.ports.recordLimits.maxCalls);
    const { atomic } = readRecordCallsQuery(new URL(context.req.url).searchParams);
    return context.json(await recordCalls(ctx, { calls, atomic }));
  });
}
