import { UsageStatsError, type UsageStatsErrorCode } from "@usage-stats/core";
import { TRPCError } from "@trpc/server";
import type * as z from "zod";
import { refusalOfIssue } from "./input/refusal.ts";

/** tRPC's name of each status that we answer with; it has none for 414, which no procedure meets. */
const TRPC_CODES = {
  400: "BAD_REQUEST",
  401: "UNAUTHORIZED",
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  405: "METHOD_NOT_SUPPORTED",
  409: "CONFLICT",
  413: "PAYLOAD_TOO_LARGE",
  414: "BAD_REQUEST",
  415: "UNSUPPORTED_MEDIA_TYPE",
  422: "UNPROCESSABLE_CONTENT",
  429: "TOO_MANY_REQUESTS",
  500: "INTERNAL_SERVER_ERROR",
  503: "SERVICE_UNAVAILABLE",
} as const satisfies Record<number, TRPCError["code"]>;

/** The one place that gives our codes a status. The type makes a code without one a compile error. */
export const REFUSALS: Record<UsageStatsErrorCode, { status: keyof typeof TRPC_CODES; title: string }> = {
  invalid_option: { status: 400, title: "Invalid parameter" },
  invalid_time: { status: 400, title: "Invalid time" },
  invalid_range: { status: 400, title: "Invalid range" },
  range_too_long: { status: 400, title: "Range too long" },
  invalid_timezone: { status: 400, title: "Unknown time zone" },
  invalid_cursor: { status: 400, title: "Invalid cursor" },
  unknown_field: { status: 400, title: "Unknown parameter" },
  bad_json: { status: 400, title: "Unreadable body" },
  empty_batch: { status: 400, title: "Empty batch" },
  invalid_request: { status: 400, title: "Request refused" },
  unauthenticated: { status: 401, title: "Not signed in" },
  invalid_token: { status: 401, title: "Invalid session" },
  invalid_key: { status: 401, title: "Invalid key" },
  forbidden: { status: 403, title: "Not allowed" },
  csrf: { status: 403, title: "Cross-site request" },
  not_found: { status: 404, title: "Not found" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  conflict: { status: 409, title: "Conflict" },
  too_large: { status: 413, title: "Request too large" },
  batch_too_large: { status: 413, title: "Batch too large" },
  url_too_long: { status: 414, title: "URL too long" },
  unsupported_media_type: { status: 415, title: "Unsupported media type" },
  unsupported_encoding: { status: 415, title: "Unsupported encoding" },
  invalid_call: { status: 422, title: "Invalid call" },
  number_too_large: { status: 422, title: "Sum too large" },
  rate_limited: { status: 429, title: "Too many requests" },
  internal: { status: 500, title: "Internal error" },
  unavailable: { status: 503, title: "Temporarily unavailable" },
};

/** What a caller is told of a failure. `code` is stable; an unknown error tells nothing of itself. */
export type PublicError = {
  code: UsageStatsErrorCode;
  status: keyof typeof TRPC_CODES;
  title: string;
  message: string;
  field?: string;
  limit?: string;
  retryAfterSeconds?: number;
};

/** Says what a caller is told of anything that was thrown. */
export function publicError(error: unknown): PublicError {
  const { code, message, field, limit, retryAfterSeconds } =
    error instanceof UsageStatsError
      ? error
      : new UsageStatsError("internal", "Something went wrong on our side.");
  return {
    code,
    ...REFUSALS[code],
    message,
    ...(field !== undefined && { field }),
    ...(limit !== undefined && { limit }),
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds }),
  };
}

/** Gives tRPC's own kind of error for anything thrown in a procedure. */
export function toTrpcError(error: unknown): TRPCError {
  if (error instanceof TRPCError && !(error.cause instanceof UsageStatsError)) return error;
  const cause = error instanceof TRPCError ? error.cause : error;
  const { code, status, message } = publicError(cause);
  // tRPC has two names for 400.
  return new TRPCError({ code: code === "bad_json" ? "PARSE_ERROR" : TRPC_CODES[status], message, cause });
}

/** Says the first thing that a schema found wrong, naming the field. */
export function inputError(error: Pick<z.core.$ZodError, "issues">): UsageStatsError {
  const issue = error.issues[0]!;
  const refusal = refusalOfIssue(issue);
  if (refusal !== null) return refusal;
  if (issue.code === "unrecognized_keys") {
    const field = [...issue.path, issue.keys[0]!].join(".");
    return new UsageStatsError("unknown_field", `There is no parameter "${field.slice(0, 100)}".`, { field });
  }
  const field = issue.path.join(".") || "input";
  return new UsageStatsError("invalid_option", `${field}: ${issue.message}.`, { field });
}
