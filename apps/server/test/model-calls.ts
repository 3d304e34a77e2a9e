import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";

/** A successful call with little else known, changed where a test cares. */
export function modelCall(change: Partial<ModelCall> = {}): ModelCall {
  return {
    ...NOTHING_KNOWN,
    id: "1",
    userDid: "did:abt:z1alice",
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    status: "success",
    callTime: new Date("2025-06-20T10:00:00Z"),
    inputTokens: 10,
    outputTokens: 5,
    totalUsage: 15,
    credits: "0.1",
    ...change,
  };
}
