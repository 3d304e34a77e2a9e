import { CLOUD_EVENT_TYPES, readCloudEvents } from "@usage-stats/adapters";
import { UsageError } from "@usage-stats/core";
import { Hono } from "hono";
import { recordEvents } from "../intake/record-events.ts";
import { type ModelCallsPorts } from "./model-calls-routes.ts";
import { readBodyText } from "./read-body-text.ts";
import { requestPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";

/** Where calls are sent as CloudEvents: one, a batch, or one with its attributes in headers. */
export function cloudEventsRoutes(ports: ModelCallsPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.post("/cloud-events", async (context) => {
    await ports.admit(context, "POST /app/api/cloud-events");
    const { raw } = context.req;
    const rules = { maxBytes: ports.maxIngestBytes, types: CLOUD_EVENT_TYPES, gzip: true };
    const { text, type } = await readBodyText(raw, rules);
    if (text === "") throw new UsageError("bad_json", "There is no event.", { field: "body" });
    const own = { ...ports, ...requestPorts(context, ports) };
    const events = readCloudEvents(type, raw.headers, text, ports.recordLimits.maxCalls);
    return context.json(await recordEvents(events, own));
  });
  return routes;
}
