import { type RecordedCall } from "../../src/index.ts";

export function recordedCall(change: Partial<RecordedCall> = {}): RecordedCall {
  return {
    id: "1",
    userDid: "did:abt:z1alice",
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    status: "success",
    callTime: new Date("2025-06-20T10:00:00Z"),
    credits: "0.1",
    ...change,
  };
}
