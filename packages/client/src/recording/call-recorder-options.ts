import type { ModelCallInput } from "@usage-stats/api";

/**
 * A call as a gateway logs it. `callTime` is when it started: a `Date`, an ISO instant or unix seconds. `credits` is a decimal
 * text, because sums of floats are not exact. What is absent, `null` or `undefined` is unknown, which is not zero.
 *
 * @example
 * const call: RecordedCall = {
 *   id: "call-7", userDid: "did:abt:alice", providerId: "openai", model: "gpt-5", type: "chatCompletion", status: "success",
 *   callTime: new Date(), inputTokens: 1_200, outputTokens: 300, credits: "0.0042",
 * };
 */
export type RecordedCall =
  | (Omit<ModelCallInput, "callTime" | "credits"> & {
      callTime: CallTime;
      credits?: string | null | undefined;
    })
  /** A call that is to count nowhere any more. */
  | { id: string; userDid: string; callTime: CallTime; void: true };

type CallTime = Date | string | number;

/**
 * Why a call was not taken, or was given back. `full`: the buffer is. `closed`: the recorder is. `unreadable`: it cannot be JSON.
 * `unsent`: it was taken, but nobody acknowledged it before `close` ran out of time; it may have been recorded all the same.
 *
 * @example
 * const onRefused = (call: RecordedCall, why: RefusedBecause) => deadLetters.push({ call, why });
 */
export type RefusedBecause = "full" | "closed" | "unreadable" | "unsent";

/**
 * What went wrong with a request. What it held stays in the buffer and is sent again.
 *
 * @example
 * const onError = ({ code, attempt, retryInMs }: DeliveryProblem) => console.warn(code, attempt, retryInMs);
 */
export type DeliveryProblem = {
  message: string;
  /** The answer's HTTP status; `null` where there was none. */
  status: number | null;
  /** The server's stable code, such as `invalid_key`; `null` where it gave none. */
  code: string | null;
  /** How often these calls have failed by now, from 1. */
  attempt: number;
  retryInMs: number;
  cause?: unknown;
};

/**
 * Where calls are sent, who is told of what does not go well, and how much is held meanwhile.
 *
 * @example
 * const options: CallRecorderOptions = { url: "http://localhost:3000", token: key, onRefused, onRejected };
 */
export type CallRecorderOptions = {
  /** Where the server is, such as `http://localhost:3000`. */
  url: string;
  /** An API key with the scope `calls:write`, or a function that is asked for one before each request. */
  token: string | (() => string | Promise<string>);
  /** Told, at once, of a call that is not going to be recorded by this recorder. */
  onRefused(call: RecordedCall, why: RefusedBecause): void;
  /** Told of a call that the server will not have: which field, and a sentence for a person. It is not sent again. */
  onRejected(call: RecordedCall, field: string, reason: string): void;
  /** Told of every request that is to be repeated; 401 and 403 among them, which only another token will end. */
  onError?(problem: DeliveryProblem): void;
  /** Calls in a request, at most 5,000. */
  maxBatch?: number;
  /** Bytes of calls in a request; the server takes 4 MB. A larger call travels alone. */
  maxBatchBytes?: number;
  /** How long a call waits for others to share its request, in milliseconds. */
  flushMs?: number;
  /** How many calls are held, and how many bytes of them as JSON, before new ones are refused. */
  maxBufferedCalls?: number;
  maxBufferedBytes?: number;
  /** When a request without an answer is given up. Longer than the server works on one, so that a repeat never overtakes it. */
  requestTimeoutMs?: number;
  /** The limit of the first random wait before a repeat, which doubles with each failure, and the longest it becomes. */
  retryMs?: number;
  longestRetryMs?: number;
  /** For tests and for runtimes with a fetch of their own. */
  fetch?: typeof globalThis.fetch;
  /** From 0 to 1, for the waits. */
  random?: () => number;
};

const LIMITS = {
  maxBatch: [500, 1, 5_000],
  maxBatchBytes: [1_000_000, 1, 4_000_000],
  flushMs: [1_000, 0, 3_600_000],
  maxBufferedCalls: [100_000, 1, 1e9],
  maxBufferedBytes: [64_000_000, 1, 1e12],
  requestTimeoutMs: [30_000, 1, 3_600_000],
  retryMs: [250, 1, 3_600_000],
  longestRetryMs: [30_000, 1, 3_600_000],
} as const satisfies Partial<Record<keyof CallRecorderOptions, readonly [number, number, number]>>;

export type RecorderLimits = Record<keyof typeof LIMITS, number>;

/** Every limit, with its default where nothing is said. Throws `RangeError` naming the option. */
export function recorderLimitsOf(options: CallRecorderOptions): RecorderLimits {
  const limits = {} as RecorderLimits;
  for (const [name, [usual, least, most]] of Object.entries(LIMITS)) {
    const option = name as keyof RecorderLimits;
    const value = options[option] ?? usual;
    if (!Number.isInteger(value) || value < least || value > most)
      throw new RangeError(`${name} must be a whole number from ${least} to ${most}. Got ${value}.`);
    limits[option] = value;
  }
  return limits;
}
