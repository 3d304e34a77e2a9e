import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";

let calls = 0;

/** The next of endlessly many calls within the minute before `latest`, by two hundred users. No two are the same. */
export function nextCall(latest: Date): ModelCall {
  const n = (calls += 1);
  return {
    ...NOTHING_KNOWN,
    id: `call-${n}`,
    userDid: `did:abt:z1user${n % 200}`,
    appDid: `z2app${n % 5}`,
    providerId: "openai",
    model: `model-${n % 10}`,
    type: "chatCompletion",
    status: "success",
    callTime: new Date(latest.getTime() - (n % 60_000)),
    inputTokens: n % 3_000,
    outputTokens: n % 500,
    totalUsage: (n % 3_000) + (n % 500),
    credits: "0.00012345",
    durationMs: n % 9_000,
    ttfbMs: n % 900,
    requestId: `request-${n}`,
  };
}
