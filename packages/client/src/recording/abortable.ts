/** Waits `ms`, or until a signal aborts. Leaves no timer and no listener behind. */
export function waitUnlessAborted(ms: number, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const signal of signals) signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of signals) signal.addEventListener("abort", done);
    if (signals.some((signal) => signal.aborted)) done();
  });
}

/**
 * Runs work with a signal that aborts after `ms` or when `stop` does, and rejects then, even if the work takes no notice of it.
 * `AbortSignal.any` would do, but keeps what it made for as long as `stop` lives on older runtimes.
 */
export async function withDeadline<Result>(
  ms: number,
  stop: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const controller = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) =>
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason as Error)),
  );
  const onStop = () => controller.abort(new Error("The recorder was closed."));
  const timer = setTimeout(() => controller.abort(new Error(`There was no answer within ${ms} ms.`)), ms);
  stop.addEventListener("abort", onStop);
  if (stop.aborted) onStop();
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    stop.removeEventListener("abort", onStop);
  }
}
