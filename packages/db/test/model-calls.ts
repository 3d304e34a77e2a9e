import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";

/** A call with everything filled in, changed where a test cares. */
export function modelCall(change: Partial<ModelCall> = {}): ModelCall {
  return {
    ...NOTHING_KNOWN,
    id: "call-1",
    userDid: "did:abt:z1test",
    appDid: "z2app1",
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    status: "success",
    callTime: new Date("2025-06-15T12:34:56.789Z"),
    inputTokens: 100,
    outputTokens: 20,
    cachedInputTokens: 10,
    cacheWriteTokens: 5,
    reasoningTokens: 8,
    totalUsage: 120,
    credits: "0.00123456",
    durationMs: 900,
    ttfbMs: 300,
    requestId: "request-1",
    metadata: { purpose: "test", nested: { quote: '"\\' } },
    ...change,
  };
}
