import { setTimeout as sleep } from "node:timers/promises";

/** What has been opened, to be closed in the opposite order; a step that fails or hangs does not keep the others from closing. */
export class Closers {
  readonly #steps: { close: () => Promise<void>; withinMs: number | null }[] = [];
  readonly #withinMs: number | null;

  /** `withinMs` is how long each is waited for; `null` is to the end. */
  constructor(withinMs: number | null = null) {
    this.#withinMs = withinMs;
  }

  add(close: () => Promise<void>, withinMs: number | null = this.#withinMs): void {
    this.#steps.unshift({ close, withinMs });
  }

  /** Throws an `AggregateError` of whatever failed, after everything was tried. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const { close, withinMs } of this.#steps.splice(0)) {
      await within(withinMs, close()).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, "could not close everything");
  }
}

async function within(ms: number | null, closing: Promise<void>): Promise<void> {
  if (ms === null) return closing;
  const closed = new AbortController();
  const late = sleep(ms, undefined, { signal: closed.signal }).then(() => {
    throw new Error(`something did not close within ${ms} ms`);
  });
  try {
    await Promise.race([closing, late]);
  } finally {
    closed.abort();
    late.catch(() => {
      // Nobody waits for it any more.
    });
  }
}
