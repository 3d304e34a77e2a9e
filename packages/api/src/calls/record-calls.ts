import { type CallChange, type RecordOutcome, UsageStatsError } from "@usage-stats/core";
import { type Reaching, type RecordLimits } from "../context.ts";
import { parseCallChange } from "./call-change.ts";

/** What recording takes of a request. */
export type RecordContext = Reaching<"callWriter" | "recordLimits", "now">;

/** Calls as somebody sends them; nobody has looked yet what they are. */
export type SentCalls = { calls: readonly unknown[]; atomic: boolean };

/** Every code that tells why one call was rejected, in an answer that is no failure. They are stable. */
export type RejectionCode = "invalid_call" | "in_future" | "too_old" | "not_found" | "voided";

/** What became of one call. Why it was rejected is a stable `code` and a sentence, and the `field` where one is at fault. */
export type CallResult =
  | { index: number; id: string | null; outcome: "added" | "repeated" | "corrected" | "voided" }
  | {
      index: number;
      id: string | null;
      outcome: "rejected";
      code: RejectionCode;
      field: string | null;
      reason: string;
    };

/** One result for each call, in their order, and how many there are of each outcome. */
export type RecordAnswer = Record<CallResult["outcome"], number> & { results: CallResult[] };

type Rejected = Extract<CallResult, { outcome: "rejected" }>;

/**
 * Records calls; what is added, corrected or voided is durable when the promise resolves. A bad call stops no other, unless
 * the recording is `atomic`: then it throws `invalid_call` or `conflict`, and nothing was recorded. Throws `empty_batch`,
 * `batch_too_large`, `unavailable`.
 */
export async function recordCalls(
  { ports: { callWriter, recordLimits }, now }: RecordContext,
  { calls, atomic }: SentCalls,
): Promise<RecordAnswer> {
  checkSize(calls, recordLimits);
  const results: CallResult[] = [];
  const good: { index: number; change: CallChange }[] = [];
  for (const [index, input] of calls.entries()) {
    const read = readChange(input, index, now.getTime(), recordLimits);
    if ("change" in read) good.push({ index, change: read.change });
    else results[index] = read;
  }
  if (atomic) refuseAny(results);
  const changes = good.map(({ change }) => change);
  const outcomes = changes.length === 0 ? [] : await callWriter.record(changes, { atomic });
  good.forEach(({ index, change }, i) => (results[index] = resultOf(index, change, outcomes[i]!)));
  return { ...countsOf(results), results };
}

function checkSize({ length }: readonly unknown[], { maxCalls }: RecordLimits): void {
  if (length === 0)
    throw new UsageStatsError("empty_batch", `Send 1 to ${maxCalls} calls.`, {
      field: "calls",
      limit: String(maxCalls),
    });
  if (length > maxCalls) throw tooManyCalls(maxCalls, length);
}

/** What is thrown for more calls than one recording may hold. */
export function tooManyCalls(maxCalls: number, value: number | string): UsageStatsError {
  return new UsageStatsError("batch_too_large", `Send 1 to ${maxCalls} calls.`, {
    field: "calls",
    value,
    limit: String(maxCalls),
  });
}

function readChange(
  input: unknown,
  index: number,
  now: number,
  { oldestMs, aheadMs, tags }: RecordLimits,
): { change: CallChange } | Rejected {
  const parsed = parseCallChange(input, tags);
  const rejected = (code: RejectionCode, field: string | null, reason: string): Rejected => ({
    index,
    id: idOf(input),
    outcome: "rejected",
    code,
    field,
    reason,
  });
  if (!("change" in parsed))
    return rejected("invalid_call", parsed.field === "" ? null : parsed.field, parsed.reason);
  const time = parsed.change.callTime.getTime();
  if (time > now + aheadMs)
    return rejected(
      "in_future",
      "callTime",
      `callTime is more than ${aheadMs / 60_000} minutes ahead of our clock.`,
    );
  if (time < now - oldestMs)
    return rejected("too_old", "callTime", `callTime is more than ${oldestMs / 86_400_000} days ago.`);
  return parsed;
}

/** The id as it was sent, to find the call by, where it is one at all. */
function idOf(input: unknown): string | null {
  if (typeof input !== "object" || input === null) return null;
  const id: unknown = Object.getOwnPropertyDescriptor(input, "id")?.value;
  return typeof id === "string" ? id.slice(0, 128) : null;
}

function refuseAny(results: CallResult[]): void {
  const first = results.find((result) => result !== undefined && result.outcome === "rejected");
  if (first === undefined) return;
  const { index, field, reason } = first;
  throw new UsageStatsError("invalid_call", `calls.${index}: ${reason}`, {
    field: ["calls", index, ...(field === null ? [] : [field])].join("."),
  });
}

function resultOf(index: number, { id, callTime }: CallChange, outcome: RecordOutcome): CallResult {
  const rejected = { index, id, outcome: "rejected" as const, field: null };
  if (outcome === "unknown")
    return { ...rejected, code: "not_found", reason: "There is no such call to be voided." };
  if (outcome === "stays_void")
    return { ...rejected, code: "voided", reason: "The call was voided, and stays so." };
  if (outcome === "not_kept") {
    const reason = `Calls of ${callTime.toISOString().slice(0, 7)} are no longer kept here, so that this one cannot be told from those that were counted.`;
    return { ...rejected, code: "too_old", field: "callTime", reason };
  }
  return { index, id, outcome };
}

function countsOf(results: CallResult[]): Record<CallResult["outcome"], number> {
  const counts = { added: 0, repeated: 0, corrected: 0, voided: 0, rejected: 0 };
  for (const { outcome } of results) counts[outcome] += 1;
  return counts;
}
