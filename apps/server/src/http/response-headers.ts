import { type Clock } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { cacheStatus } from "./cache-status.ts";
import { type AppEnv } from "./request-variables.ts";
import { serverTiming } from "./server-timing.ts";

/** Gives a response the headers that it has to have, unless it was made with them. */
export function addHeaders(context: Context<AppEnv>): void {
  if (context.get("complete")) return;
  for (const [name, value] of Object.entries(context.get("headersOf")())) context.header(name, value);
}

/**
 * JSON in UTF-8 with all its headers at once. They are a plain object, which goes to the socket as it is: `Headers` cost as much
 * as all the rest of a kept answer.
 */
export function sendJson(context: Context<AppEnv>, bytes: Uint8Array<ArrayBuffer>): Response {
  context.set("complete", true);
  return new Response(bytes, {
    headers: { "content-type": "application/json", ...context.get("headersOf")() },
  });
}

/** The headers that a response has to have, once it is known what it was made of. */
export function headersOf(context: Context<AppEnv>, clock: Clock): Record<string, string> {
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
