import { waitUnlessAborted, withDeadline } from "./abortable.ts";
import { createCallBuffer } from "./call-buffer.ts";
import { callJson } from "./call-json.ts";
import {
  type CallRecorderOptions,
  recorderLimitsOf,
  type RecordedCall,
  type RefusedBecause,
} from "./call-recorder-options.ts";
import { retryDelayMs } from "./retry-delay.ts";
import { type Rejection, sendCalls, type SendFailure, type Verdict } from "./send-calls.ts";

/**
 * Takes calls from a gateway and sends them in the background.
 *
 * @example
 * recorder.record({ ...call, status: "processing" });
 * recorder.record({ ...call, status: "success", outputTokens: 300 });
 * await recorder.close();
 */
export type CallRecorder = {
  /**
   * Takes a call, as it is now, to be sent soon; `false` where it was refused, of which `onRefused` was told. To correct a call,
   * record it again with the same `userDid`, `id` and `callTime`: what was recorded last counts.
   */
  record(call: RecordedCall): boolean;
  /** Sends what is held without waiting for more, and resolves when it is settled. Rejects if `close` ran out of time before. */
  flush(): Promise<void>;
  /**
   * Takes no more calls, sends what is held, and gives up after `timeoutMs` (ten seconds unless said otherwise); what is left is
   * given to `onRefused` as `unsent`. For when a process is told to end: `process.once("SIGTERM", () => void recorder.close())`.
   */
  close(options?: { timeoutMs?: number }): Promise<{ unsent: number }>;
  /** How many calls are held: not yet recorded, rejected or given back. */
  readonly pending: number;
};

const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Records calls from a gateway without making it wait: `record` only keeps them, and they are sent in the background, in their
 * order, one request at a time. Whatever may pass (a network that is down, a server that is busy, a token that is refused) is
 * tried again until it goes well or the recorder is closed; the server counts a call that it gets twice once. Nothing is dropped
 * in silence. It needs `fetch`, `AbortController` and timers only.
 *
 * Where a process may not outlive a request, as at the edge, make one for each and `waitUntil(recorder.close())`.
 *
 * @example
 * const recorder = createCallRecorder({ url: "http://localhost:3000", token: key, onRefused: log, onRejected: log });
 * process.once("SIGTERM", () => void recorder.close());
 */
export function createCallRecorder(options: CallRecorderOptions): CallRecorder {
  const { token, onRefused, onRejected, onError, random = Math.random } = options;
  const limits = recorderLimitsOf(options);
  const url = new URL("/app/api/model-calls", options.url);
  // Called as a method of `options`, a browser's fetch refuses.
  const fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));

  const buffer = createCallBuffer<RecordedCall>({
    maxCalls: limits.maxBufferedCalls,
    maxBytes: limits.maxBufferedBytes,
  });
  const closing = new AbortController();
  const stopping = new AbortController();
  let flushes: { until: number; resolve: () => void; reject: (error: Error) => void }[] = [];
  let closed: Promise<{ unsent: number }> | null = null;
  let running: Promise<void> | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  /** Up to which call nothing waits for company any more. */
  let dueUntil = 0;
  /** How many calls the next request may hold: fewer after one was refused as a whole. */
  let width = limits.maxBatch;
  let failures = 0;

  function isDue(): boolean {
    const { calls, bytes } = buffer.held();
    if (calls === 0 || stopping.signal.aborted) return false;
    return buffer.settled() < dueUntil || calls >= limits.maxBatch || bytes >= limits.maxBatchBytes;
  }

  function sendSoon(): void {
    if (running !== null || buffer.held().calls === 0) return;
    if (!isDue()) {
      timer ??= setTimeout(() => sendNow(buffer.added()), limits.flushMs);
      return;
    }
    clearTimeout(timer);
    timer = undefined;
    running = sendWhatIsDue().finally(() => {
      running = null;
      if (!stopping.signal.aborted) sendSoon();
    });
  }

  function sendNow(until: number): void {
    dueUntil = Math.max(dueUntil, until);
    sendSoon();
  }

  async function sendWhatIsDue(): Promise<void> {
    while (isDue()) {
      const calls = buffer.first({ maxCalls: width, maxBytes: limits.maxBatchBytes });
      dueUntil = Math.max(dueUntil, buffer.settled() + calls.length);
      const texts = calls.map(({ json }) => json);
      const verdict = await withDeadline(limits.requestTimeoutMs, stopping.signal, (signal) =>
        sendCalls(texts, { url, token, fetch, signal }),
      ).catch((cause: Error): Verdict => failed(cause));
      // What is left was given back meanwhile.
      if (stopping.signal.aborted) return;
      if (verdict.kind === "failed") await backOff(verdict.failure);
      else conclude(verdict, calls.length);
    }
  }

  function conclude(verdict: Exclude<Verdict, { kind: "failed" }>, count: number): void {
    failures = 0;
    if (verdict.kind === "refused" && count > 1) {
      width = Math.ceil(count / 2);
      return;
    }
    width = Math.min(limits.maxBatch, width * 2);
    const rejected: Map<number, Rejection> =
      verdict.kind === "refused" ? new Map([[0, verdict.rejection]]) : verdict.rejected;
    const gone = buffer.settle(count);
    for (const [index, { field, reason }] of rejected)
      tell(() => onRejected(gone[index]!.call, field, reason));
    const settled = flushes.filter(({ until }) => until <= buffer.settled());
    flushes = flushes.filter(({ until }) => until > buffer.settled());
    for (const { resolve } of settled) resolve();
  }

  async function backOff({ retryAfterMs, ...failure }: SendFailure): Promise<void> {
    failures += 1;
    const { retryMs: firstMs, longestRetryMs: longestMs } = limits;
    const ownMs = retryDelayMs(failures, { firstMs, longestMs, random });
    const retryInMs = Math.max(ownMs, retryAfterMs ?? 0);
    tell(() => onError?.({ ...failure, attempt: failures, retryInMs }));
    // Closing ends a wait of our own, once; what a server asked for is kept to.
    const isOver = retryAfterMs === null && !closing.signal.aborted ? [closing.signal] : [];
    await waitUnlessAborted(retryInMs, [stopping.signal, ...isOver]);
  }

  function refuse(call: RecordedCall, why: RefusedBecause): false {
    onRefused(call, why);
    return false;
  }

  /** Sending may end and begin again. */
  async function drained(): Promise<void> {
    await running;
    if (buffer.held().calls > 0 && !stopping.signal.aborted) await drained();
  }

  async function finish(timeoutMs: number): Promise<{ unsent: number }> {
    closing.abort();
    failures = 0;
    sendNow(buffer.added());
    const stopped = new Promise<void>((resolve) =>
      stopping.signal.addEventListener("abort", () => resolve()),
    );
    const deadline = setTimeout(() => stopping.abort(), timeoutMs);
    await Promise.race([drained(), stopped]);
    clearTimeout(deadline);
    clearTimeout(timer);
    stopping.abort();
    const unsent = buffer.settle(buffer.held().calls);
    for (const { call } of unsent) tell(() => onRefused(call, "unsent"));
    const error = new Error(`The recorder was closed with ${unsent.length} calls unsent.`);
    for (const { reject } of flushes) reject(error);
    return { unsent: unsent.length };
  }

  return {
    record(call) {
      if (closed !== null) return refuse(call, "closed");
      const json = callJson(call);
      if (json === null) return refuse(call, "unreadable");
      if (!buffer.add(call, json)) return refuse(call, "full");
      sendSoon();
      return true;
    },
    flush() {
      if (buffer.held().calls === 0) return Promise.resolve();
      return new Promise((resolve, reject) => {
        flushes.push({ until: buffer.added(), resolve, reject });
        sendNow(buffer.added());
      });
    },
    close: ({ timeoutMs = CLOSE_TIMEOUT_MS } = {}) => (closed ??= finish(timeoutMs)),
    get pending() {
      return buffer.held().calls;
    },
  };
}

function failed(cause: Error): Verdict {
  return {
    kind: "failed",
    failure: { message: cause.message, status: null, code: null, retryAfterMs: null, cause },
  };
}

/** What a callback throws is its owner's to hear of, as of any event; it must not end the sending. */
function tell(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
