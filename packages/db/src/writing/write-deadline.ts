import { UsageStatsError, type WaitLimits } from "@usage-stats/core";
import { type WaitSignals } from "../connection/lend-connection.ts";

/** Until when a write may be sent to the database, and be waited for. */
export type WriteDeadline = WaitSignals & {
  statementSignal: AbortSignal;
  /** In milliseconds of `performance.now()`; `null` for none. */
  at: number | null;
  /** Throws once nothing may be sent any more. */
  check(): void;
  end(): void;
};

/** Starts the deadline of a write. Whoever leaves ends what was not sent; only the deadline ends what was, by `late`. */
export function startWriteDeadline(
  { signal, deadline }: WaitLimits,
  late = new AbortController(),
): WriteDeadline {
  const isOver = () => deadline !== undefined && performance.now() >= deadline;
  const timer =
    deadline === undefined
      ? undefined
      : setTimeout(() => late.abort(tooLate()), Math.max(0, deadline - performance.now()));
  return {
    at: deadline ?? null,
    signal: signal ?? late.signal,
    statementSignal: late.signal,
    check() {
      signal?.throwIfAborted();
      // The timer may be late itself, where this process stood still.
      if (isOver()) throw tooLate();
    },
    end: () => clearTimeout(timer),
  };
}

/** Calls `leave` with the reason, once, as soon as nothing may be sent any more; gives what stops that. */
export function onWriteDeadline(
  { signal, statementSignal }: WriteDeadline,
  leave: (reason: unknown) => void,
): () => void {
  const signals = new Set([signal, statementSignal]);
  const stop = () => {
    for (const one of signals) one.removeEventListener("abort", tell);
  };
  const tell = (event: Event) => {
    stop();
    leave((event.target as AbortSignal).reason);
  };
  for (const one of signals) one.addEventListener("abort", tell);
  return stop;
}

function tooLate(): UsageStatsError {
  return new UsageStatsError("unavailable", "The database did not answer in time. Try again shortly.");
}
