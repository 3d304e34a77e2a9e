import { type CallFieldName } from "@usage-stats/core";
import { timeOf } from "./csv-shape.ts";
import { type Preset } from "./preset.ts";

const REQUIRED = ["id", "userDid", "providerId", "model", "type", "status", "callTime"];
const OPTIONAL = ["appDid", "usageMetrics", "totalUsage", "credits", "duration", "ttfb"];
const CONTEXT = ["errorReason", "requestId", "traceId", "metadata"];
const WITHOUT_PLACE = ["credentialId", "providerTtfb", "createdAt", "updatedAt"];

/**
 * The `ModelCalls` table of AIGNE Hub, exported as CSV or NDJSON. Durations are seconds there, and tokens stand in `usageMetrics`;
 * `credentialId`, `providerTtfb`, `createdAt` and `updatedAt` have no place in a call and are left out.
 */
export const aigneHub: Preset = {
  program: "a table of AIGNE Hub",
  columns: new Set([...REQUIRED, ...OPTIONAL, ...CONTEXT, ...WITHOUT_PLACE]),
  required: REQUIRED,
  shape: callOfRow,
};

function callOfRow(row: unknown): unknown {
  if (typeof row !== "object" || row === null) return row;
  const source = row as Record<string, unknown>;
  const value = (name: string) => (source[name] === "" ? null : (source[name] ?? null));
  const usage = objectOf(value("usageMetrics")) ?? {};
  const call: Partial<Record<CallFieldName, unknown>> = {
    id: textOf(value("id")),
    userDid: value("userDid"),
    appDid: value("appDid"),
    providerId: textOf(value("providerId")),
    model: value("model"),
    type: value("type"),
    status: value("status"),
    callTime: typeof value("callTime") === "string" ? timeOf(value("callTime") as string) : value("callTime"),
    inputTokens: numberOf(usage["inputTokens"]),
    outputTokens: numberOf(usage["outputTokens"]),
    cachedInputTokens: numberOf(usage["cacheReadInputTokens"]),
    cacheWriteTokens: numberOf(usage["cacheCreationInputTokens"]),
    totalUsage: numberOf(value("totalUsage")),
    credits: value("credits"),
    durationMs: secondsOf(value("duration")),
    ttfbMs: numberOf(value("ttfb")),
    errorReason: value("errorReason"),
    requestId: value("requestId"),
    traceId: value("traceId"),
    metadata: objectOf(value("metadata")),
  };
  return call;
}

function textOf(value: unknown): unknown {
  return typeof value === "number" ? String(value) : value;
}

/** A number, also where the database wrote it as text; anything else stays, for the contract to refuse. */
function numberOf(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : (value ?? null);
}

function secondsOf(value: unknown): unknown {
  const seconds = numberOf(value);
  return typeof seconds === "number" ? Math.round(seconds * 1000) : seconds;
}

/** An object, also where the database wrote it as JSON; `null` for none. */
function objectOf(value: unknown): Record<string, unknown> | null {
  if (typeof value === "object") return value as Record<string, unknown> | null;
  if (typeof value !== "string") return null;
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" ? (parsed as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
