import { randomUUID } from "node:crypto";
import { setImmediate as inputRead, setTimeout as sleep } from "node:timers/promises";
import { type Ear, type Moment } from "./ear.ts";

/** Sends a text on a channel of the database, on another connection than the one that listens. */
export type Announce = (channel: string, payload: string) => Promise<void>;

/** What a connection proves that it hears: that a nonce which goes out to the database comes back on it. */
export type Proof = {
  /** Takes what came on the channel. */
  returned(payload: string): void;
  /**
   * Sends nonces until `ended` aborts. Throws `Deaf` when one was sent and did not come back.
   * https://www.postgresql.org/docs/current/sql-notify.html: what different transactions announce is delivered in the order in
   * which they committed. So with a nonce everything has arrived that was committed before it was sent.
   */
  run(ended: AbortSignal): Promise<void>;
};

export type ProofSettings = {
  ear: Ear;
  /** Where the nonces go. */
  channel: string;
  announce: Announce;
  /** Before the first proof counts: what this connection was too late for must be made good when this returns. */
  onFirst(): void;
  onProved(): void;
  /** A nonce could not be sent: that proves nothing against the connection that listens. */
  onUnsent(error: unknown): void;
};

/** The connection that listens hears nothing. */
export class Deaf extends Error {
  override readonly name = "Deaf";
}

/** Nobody waits longer for a statement of one line. What still waits for a connection by then is left to the pool. */
const SEND_MS = 10_000;

/** Proves that one connection hears, over and over. */
export function createProof({ ear, channel, announce, onFirst, onProved, onUnsent }: ProofSettings): Proof {
  // Three in the time that one is good for: one may be late.
  const everyMs = ear.boundMs / 3;
  const deadlineMs = ear.boundMs - everyMs;
  let waiting: { nonce: string; sentAt: Moment; back: () => void } | null = null;
  let isFirst = true;

  function returned(payload: string): void {
    if (waiting === null || payload !== waiting.nonce) return;
    const { sentAt, back } = waiting;
    waiting = null;
    if (isFirst) onFirst();
    isFirst = false;
    ear.proved(sentAt);
    onProved();
    back();
  }

  async function sendOne(nonce: string, ended: AbortSignal): Promise<void> {
    const back = Promise.withResolvers<void>();
    waiting = { nonce, sentAt: ear.now(), back: back.resolve };
    try {
      if (!(await settles(announce(channel, nonce), SEND_MS, ended)))
        return onUnsent(new Error(`nothing could be sent within ${SEND_MS} ms`));
    } catch (error) {
      return onUnsent(error);
    }
    await settles(back.promise, deadlineMs, ended);
    // A process that was busy may not have read what arrived long ago.
    await inputRead();
    if (waiting?.nonce === nonce && !ended.aborted)
      throw new Deaf(`what was announced did not come back within ${Math.round(deadlineMs)} ms`);
  }

  return {
    returned,
    async run(ended) {
      while (!ended.aborted) {
        const started = performance.now();
        await sendOne(randomUUID(), ended);
        await pause(Math.max(0, everyMs - (performance.now() - started)), ended);
      }
    },
  };
}

/** Whether it did so in time. Throws what it throws. */
async function settles(promise: Promise<unknown>, ms: number, ended: AbortSignal): Promise<boolean> {
  const over = new AbortController();
  const late = pause(ms, AbortSignal.any([over.signal, ended])).then(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    over.abort();
  }
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: ended }).catch(() => {
    // It was cut short, as it may be.
  });
}
