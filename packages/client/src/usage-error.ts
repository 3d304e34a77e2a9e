import type { AppRouter } from "@usage-stats/api";
import { TRPCClientError } from "@trpc/client";

/**
 * Why the server refused: `code` is stable, `field` and `limit` name what to change.
 *
 * @example
 * const tooLong: UsageStatsErrorInfo = { code: "range_too_long", httpStatus: 400, message: "…", field: "to", limit: "92 days" };
 */
export type UsageStatsErrorInfo = {
  code: string;
  httpStatus: number;
  message: string;
  field?: string;
  limit?: string;
  requestId?: string;
};

/**
 * Reads a refusal of the server; `null` for anything else, such as a network that is down.
 *
 * @example
 * const stats = await client.usageStats({ from, to }).catch((error: unknown) => {
 *   if (usageStatsErrorOf(error)?.code === "range_too_long") return null;
 *   throw error;
 * });
 */
export function usageStatsErrorOf(error: unknown): UsageStatsErrorInfo | null {
  if (!(error instanceof TRPCClientError)) return null;
  const { data, message } = error as TRPCClientError<AppRouter>;
  if (!data) return null;
  const { appCode, httpStatus, field, limit, requestId } = data;
  return {
    code: appCode,
    httpStatus,
    message,
    ...(field !== undefined && { field }),
    ...(limit !== undefined && { limit }),
    ...(requestId !== undefined && { requestId }),
  };
}
