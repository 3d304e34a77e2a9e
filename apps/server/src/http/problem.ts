import { type PublicError, publicError } from "@usage-stats/api";
import { UsageStatsError } from "@usage-stats/core";
import { type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { type ContentfulStatusCode } from "hono/utils/http-status";
import { type AppEnv } from "./http-request.ts";

/** What is told of a failure, and the status that it is told with. */
export type Refusal = Omit<PublicError, "status"> & { status: ContentfulStatusCode };

/** Says what is told of anything that was thrown. */
export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof HTTPException)) return publicError(error);
  // Hono's own refusals bring their status.
  const refusal = new UsageStatsError("invalid_request", error.message || "The request was refused.");
  return { ...publicError(refusal), status: error.status };
}

/** The same, whose response is to say when to try again. */
export function refuse(context: Context<AppEnv>, error: unknown): Refusal {
  const refusal = refusalOf(error);
  // Of a batch, something else may have been refused.
  const request = context.get("request");
  request.retryAfterSeconds = refusal.retryAfterSeconds ?? request.retryAfterSeconds;
  return refusal;
}

/** Answers with problem details (RFC 9457) of anything that was thrown. */
export function problem(context: Context<AppEnv>, error: unknown): Response {
  const refusal = refuse(context, error);
  const { requestId } = context.get("request");
  return context.json({ ...problemDetails(refusal), requestId }, refusal.status, problemHeaders(refusal));
}

/** Problem details (RFC 9457): a stable `code`, and the `field` and `limit` where there is one. */
export function problemDetails({ status, title, message, code, field, limit }: Refusal): object {
  return {
    type: "about:blank",
    title,
    status,
    detail: message,
    code,
    ...(field !== undefined && { field }),
    ...(limit !== undefined && { limit }),
  };
}

export function problemHeaders(refusal: Refusal): Record<string, string> {
  return { "content-type": "application/problem+json", ...challenge(refusal) };
}

/** Says how to sign in, to whoever has not (RFC 9110, 15.5.2). */
export function challenge({ status }: Refusal): Record<string, string> {
  return status === 401 ? { "www-authenticate": "Bearer" } : {};
}

/** `Retry-After`: what a failure says, and a second where something is unavailable without saying more. */
export function retryAfter(status: number, seconds: number | undefined): Record<string, string> {
  const wait = seconds ?? (status === 503 ? 1 : undefined);
  return wait === undefined ? {} : { "retry-after": String(wait) };
}
