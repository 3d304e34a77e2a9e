import { type Clock } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { WINDOW_SECONDS } from "../limits/limiter.ts";
import { cacheStatus } from "./cache-status.ts";
import { type AppEnv } from "./request-variables.ts";
import { serverTiming } from "./server-timing.ts";

/** Gives a response the headers that it has to have, unless it was made with them. */
export function addHeaders(context: Context<AppEnv>): void {
  if (context.get("complete")) return;
  for (const [name, value] of Object.entries(context.get("headersOf")())) context.header(name, value);
  // Problems say when; tRPC's refusals do not.
  if (context.res.status === 503 && !context.res.headers.has("retry-after"))
    context.header("retry-after", "1");
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
    ...rateLimitHeaders(context),
    ...((costs.length > 0 || report !== null) && {
      "cache-status": cacheStatus(report, clock.now()),
      "server-timing": serverTiming(costs, report),
    }),
  };
}

/** RateLimit header fields, as draft-ietf-httpapi-ratelimit-headers-07 has them, and Retry-After. */
function rateLimitHeaders(context: Context<AppEnv>): Record<string, string> {
  const budget = context.get("budget");
  const retryAfter = context.get("retryAfterSeconds");
  return {
    ...(budget !== undefined && {
      "ratelimit-limit": String(budget.limit),
      "ratelimit-remaining": String(budget.remaining),
      "ratelimit-reset": String(Math.ceil(budget.resetMs / 1000)),
      "ratelimit-policy": `${budget.limit};w=${WINDOW_SECONDS}`,
    }),
    ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
  };
}

/** What Hono's middleware sets. It does so one by one on the finished response; they are the same each time. */
const SECURITY_HEADERS = await (async () => {
  const probe = new Hono()
    .use(
      secureHeaders({
        // Nothing of it is a page.
        contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        xFrameOptions: "DENY",
      }),
    )
    .get("/", (context) => context.body(null));
  return Object.fromEntries((await probe.request("/")).headers);
})();
