import { type CacheReport } from "@usage-stats/cache";
import { type DatabaseCost } from "@usage-stats/core";
import { type Context } from "hono";
import { WINDOW_SECONDS } from "../limits/limiter.ts";
import { retryAfter } from "./problem.ts";
import { type AppEnv, type BegunRequest } from "./http-request.ts";

/** Gives a response the headers that it has to have, unless it was made with them. */
export function addHeaders(context: Context<AppEnv>): void {
  const request = context.get("request");
  if (request.hasHeaders) return;
  const headers = { ...headersOf(request), ...retryAfter(context.res.status, request.retryAfterSeconds) };
  for (const [name, value] of Object.entries(headers)) context.header(name, value);
}

/**
 * Makes a response with all its headers at once. They are a plain object, which goes to the socket as it is: `Headers` cost as much
 * as all the rest of a cached answer.
 */
export function responseWith(
  request: BegunRequest,
  status: number,
  bytes: Uint8Array<ArrayBuffer> | null,
  headers: Record<string, string>,
): Response {
  request.hasHeaders = true;
  return new Response(bytes, { status, headers: Object.assign(headersOf(request), headers) });
}

/** The headers that every response has to have, once it is known what it was made of. Set one by one: spreading costs more. */
function headersOf({ now, requestId, costs, cache, budget }: BegunRequest): Record<string, string> {
  const report = cache?.report() ?? null;
  const headers: Record<string, string> = { ...SECURITY_HEADERS };
  headers["cache-control"] = "private, no-store";
  headers["x-request-id"] = requestId;
  if (budget !== undefined) {
    // As draft-ietf-httpapi-ratelimit-headers-07 has them.
    headers["ratelimit-limit"] = String(budget.limit);
    headers["ratelimit-remaining"] = String(budget.remaining);
    headers["ratelimit-reset"] = String(Math.ceil(budget.resetMs / 1000));
    headers["ratelimit-policy"] = `${budget.limit};w=${WINDOW_SECONDS}`;
  }
  if (costs.length > 0 || report !== null) {
    headers["cache-status"] = cacheStatus(report, now);
    headers["server-timing"] = serverTiming(costs, report);
  }
  return headers;
}

/**
 * `Cache-Status` (RFC 9211) of an answer. `hit`: from the cache, of a range that is not over only its history. `fwd=miss`: made
 * by the database and kept. `fwd=bypass`: made by the database alone, because the cache was not asked or did not answer.
 */
function cacheStatus(report: CacheReport | null, now: Date): string {
  if (report === null) return "usage-stats; fwd=bypass";
  if (report.outcome !== "hit") return `usage-stats; fwd=${report.outcome}`;
  return `usage-stats; hit; ttl=${Math.floor((report.expiresAt! - now.getTime()) / 1000)}`;
}

/** `Server-Timing` of an answer: how many statements the database ran, and how long it and the cache took in milliseconds. */
function serverTiming(costs: DatabaseCost[], cache: CacheReport | null): string {
  let statements = 0;
  let duration = 0;
  for (const cost of costs) {
    statements += cost.statements;
    duration += cost.durationMs;
  }
  const db = `db;desc="${statements} statement${statements === 1 ? "" : "s"}";dur=${duration.toFixed(1)}`;
  return cache === null ? db : `${db}, cache;dur=${cache.durationMs.toFixed(1)}`;
}

/**
 * What Hono's `secureHeaders` sets, with a policy for what is no page. Its middleware sets them one by one on the finished response,
 * though they are the same each time.
 */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "origin-agent-cluster": "?1",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=15552000; includeSubDomains",
  "x-content-type-options": "nosniff",
  "x-dns-prefetch-control": "off",
  "x-download-options": "noopen",
  "x-frame-options": "DENY",
  "x-permitted-cross-domain-policies": "none",
  "x-xss-protection": "0",
};
