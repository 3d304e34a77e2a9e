import { CLOUD_EVENT_TYPES, readCloudEvents } from "@usage-stats/adapters";
import { UsageStatsError } from "@usage-stats/core";
import { type Hono } from "hono";
import { recordEvents } from "./record-events.ts";
import { readBodyText } from "../http/read-body-text.ts";
import { type AppEnv } from "../http/http-request.ts";
import { serveOperation } from "../http/serve-operation.ts";

/** Where calls are sent as CloudEvents: one, a batch, or one with its attributes in headers. */
export function cloudEventsRoute(app: Hono<AppEnv>, { maxIngestBytes }: { maxIngestBytes: number }): void {
  serveOperation(app, "POST /app/api/cloud-events", async (ctx, context) => {
    const { raw } = context.req;
    const rules = { maxBytes: maxIngestBytes, types: CLOUD_EVENT_TYPES, gzip: true };
    const { text, type } = await readBodyText(raw, rules);
    if (text === "") throw new UsageStatsError("bad_json", "There is no event.", { field: "body" });
    const events = readCloudEvents(type, raw.headers, text, ctx.ports.recordLimits.maxCalls);
    return context.json(await recordEvents(ctx, events));
  });
}
