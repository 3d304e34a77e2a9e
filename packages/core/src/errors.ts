/**
 * Every code that an answer can tell a failure by; they are stable. Each has its HTTP status in one place, `packages/api/src/errors.ts`.
 * `invalid_request` is what the framework refuses in its own words, and `internal` whatever nobody foresaw.
 */
export type UsageStatsErrorCode =
  | "invalid_option"
  | "invalid_time"
  | "invalid_range"
  | "range_too_long"
  | "invalid_timezone"
  | "invalid_cursor"
  | "unknown_field"
  | "bad_json"
  | "empty_batch"
  | "unauthenticated"
  | "invalid_token"
  | "invalid_key"
  | "forbidden"
  | "csrf"
  | "not_found"
  | "method_not_allowed"
  | "conflict"
  | "too_large"
  | "batch_too_large"
  | "url_too_long"
  | "unsupported_media_type"
  | "unsupported_encoding"
  | "invalid_call"
  | "number_too_large"
  | "rate_limited"
  | "invalid_request"
  | "internal"
  | "unavailable";

export type UsageStatsErrorDetails = {
  field?: string;
  value?: unknown;
  limit?: string;
  /** When to try again, where that is known. */
  retryAfterSeconds?: number;
  cause?: unknown;
};

/** A refusal whose message is written for the caller: it may be shown to anyone. Any other error must not be. */
export class UsageStatsError extends Error {
  override readonly name = "UsageStatsError";
  readonly code: UsageStatsErrorCode;
  readonly field: string | undefined;
  readonly limit: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  /** `message` is a full sentence; `value`, when given, is quoted after it, cut to 100 characters. */
  constructor(code: UsageStatsErrorCode, message: string, details: UsageStatsErrorDetails = {}) {
    const shown = "value" in details ? ` Got ${quote(details.value)}.` : "";
    super(message + shown, "cause" in details ? { cause: details.cause } : undefined);
    this.code = code;
    this.field = details.field;
    this.limit = details.limit;
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

function quote(value: unknown): string {
  const text = value instanceof Date && !Number.isNaN(value.getTime()) ? value.toISOString() : String(value);
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
