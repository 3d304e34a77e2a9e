import { UsageError, type UsageErrorCode } from "@usage-stats/core";
import { TRPCError } from "@trpc/server";
import type * as z from "zod";
import { refusalOf } from "./contract/refusal.ts";

type TrpcCode = TRPCError["code"];

/** The one place that gives our codes a status. The type makes a code without one a compile error. */
const STATUS: Record<UsageErrorCode, { http: number; trpc: TrpcCode; title: string }> = {
  invalid_option: { http: 400, trpc: "BAD_REQUEST", title: "Invalid parameter" },
  invalid_time: { http: 400, trpc: "BAD_REQUEST", title: "Invalid time" },
  invalid_range: { http: 400, trpc: "BAD_REQUEST", title: "Invalid range" },
  range_too_long: { http: 400, trpc: "BAD_REQUEST", title: "Range too long" },
  invalid_timezone: { http: 400, trpc: "BAD_REQUEST", title: "Unknown time zone" },
  invalid_cursor: { http: 400, trpc: "BAD_REQUEST", title: "Invalid cursor" },
  unknown_field: { http: 400, trpc: "BAD_REQUEST", title: "Unknown parameter" },
  bad_json: { http: 400, trpc: "PARSE_ERROR", title: "Unreadable body" },
  empty_batch: { http: 400, trpc: "BAD_REQUEST", title: "Empty batch" },
  unauthenticated: { http: 401, trpc: "UNAUTHORIZED", title: "Not signed in" },
  invalid_token: { http: 401, trpc: "UNAUTHORIZED", title: "Invalid session" },
  invalid_key: { http: 401, trpc: "UNAUTHORIZED", title: "Invalid key" },
  forbidden: { http: 403, trpc: "FORBIDDEN", title: "Not allowed" },
  csrf: { http: 403, trpc: "FORBIDDEN", title: "Cross-site request" },
  not_found: { http: 404, trpc: "NOT_FOUND", title: "Not found" },
  conflict: { http: 409, trpc: "CONFLICT", title: "Conflict" },
  too_large: { http: 413, trpc: "PAYLOAD_TOO_LARGE", title: "Request too large" },
  batch_too_large: { http: 413, trpc: "PAYLOAD_TOO_LARGE", title: "Batch too large" },
  unsupported_media_type: { http: 415, trpc: "UNSUPPORTED_MEDIA_TYPE", title: "Unsupported media type" },
  unsupported_encoding: { http: 415, trpc: "UNSUPPORTED_MEDIA_TYPE", title: "Unsupported encoding" },
  invalid_call: { http: 422, trpc: "UNPROCESSABLE_CONTENT", title: "Invalid call" },
  number_too_large: { http: 422, trpc: "UNPROCESSABLE_CONTENT", title: "Sum too large" },
  rate_limited: { http: 429, trpc: "TOO_MANY_REQUESTS", title: "Too many requests" },
  unavailable: { http: 503, trpc: "SERVICE_UNAVAILABLE", title: "Temporarily unavailable" },
};

/** What a caller is told of a failure. `code` is stable; an unknown error tells nothing of itself. */
export type PublicError = {
  code: UsageErrorCode | "internal";
  status: number;
  title: string;
  message: string;
  field?: string;
  limit?: string;
  retryAfterSeconds?: number;
};

export function publicError(error: unknown): PublicError {
  if (!(error instanceof UsageError)) {
    return {
      code: "internal",
      status: 500,
      title: "Internal error",
      message: "Something went wrong on our side.",
    };
  }
  const { http, title } = STATUS[error.code];
  return {
    code: error.code,
    status: http,
    title,
    message: error.message,
    ...(error.field !== undefined && { field: error.field }),
    ...(error.limit !== undefined && { limit: error.limit }),
    ...(error.retryAfterSeconds !== undefined && { retryAfterSeconds: error.retryAfterSeconds }),
  };
}

/** tRPC's own kind of error for anything thrown in a procedure. */
export function toTrpcError(error: unknown): TRPCError {
  if (error instanceof TRPCError && !(error.cause instanceof UsageError)) return error;
  const cause = error instanceof TRPCError ? error.cause : error;
  const code = cause instanceof UsageError ? STATUS[cause.code].trpc : "INTERNAL_SERVER_ERROR";
  return new TRPCError({ code, message: publicError(cause).message, cause });
}

/** Says the first thing that a schema found wrong, naming the field. */
export function inputError(error: Pick<z.core.$ZodError, "issues">): UsageError {
  const issue = error.issues[0]!;
  const refusal = refusalOf(issue);
  if (refusal !== null) return refusal;
  if (issue.code === "unrecognized_keys") {
    const field = [...issue.path, issue.keys[0]!].join(".");
    return new UsageError("unknown_field", `There is no parameter "${field.slice(0, 100)}".`, { field });
  }
  const field = issue.path.join(".") || "input";
  return new UsageError("invalid_option", `${field}: ${issue.message}.`, { field });
}
