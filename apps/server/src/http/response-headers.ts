import { type Clock } from "@usage-stats/core";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { cacheStatus } from "./cache-status.ts";
import { type AppEnv } from "./request-variables.ts";
import { serverTiming } from "./server-timing.ts";

/** Gives every response the headers that it has to have. */
export function responseHeaders(clock: Clock): MiddlewareHandler<AppEnv> {
  return async (context, next) => {
    context.set("headersOf", () => headersOf(context, clock));
    await next();
    if (context.get("complete")) return;
    for (const [name, value] of Object.entries(headersOf(context, clock))) context.header(name, value);
  };
}

/** A JSON text with its headers in one piece: setting them one by one costs as much as all the rest of a kept answer. */
export function sendJson(context: Context<AppEnv>, text: string): Response {
  context.set("complete", true);
  return context.body(text, 200, { "content-type": "application/json", ...context.get("headersOf")() });
}

function headersOf(context: Context<AppEnv>, clock: Clock): Record<string, string> {
  const costs = context.get("costs");
  const report = context.get("cache")?.report() ?? null;
  return {
    ...SECURITY_HEADERS,
    "cache-control": "private, no-store",
    "x-request-id": context.get("requestId"),
    ...((costs.length > 0 || report !== null) && {
      "cache-status": cacheStatus(report, clock.now()),
      "server-timing": serverTiming(costs, report),
    }),
  };
}

/** What Hono's middleware sets. It does so one by one on the finished response; they are the same each time. */
const SECURITY_HEADERS = await (async () => {
  const probe = new Hono().use(secureHeaders()).get("/", (context) => context.body(null));
  return Object.fromEntries((await probe.request("/")).headers);
})();
