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
   * Sends nonces until `ended` aborts. Throws when one does not come back in time, or none could be sent for so long that the ear
   * does not hear any more: whatever hinders the one may have swallowed the other.
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
};

/** The connection that listens hears nothing. */
export class Deaf extends Error {
  override readonly name = "Deaf";
}

/** Proves that one connection hears, over and over. */
export function createProof({ ear, channel, announce, onFirst, onProved }: ProofSettings): Proof {
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
    let isSent = false;
    try {
      const sent = announce(channel, nonce).then(() => (isSent = true));
      await waitFor(Promise.all([sent, back.promise]), deadlineMs, ended);
    } catch (error) {
      if (ear.hears()) return;
      throw error;
    }
    // A process that was busy may not have read what arrived long ago.
    await inputRead();
    if (waiting?.nonce !== nonce || ended.aborted) return;
    const what = isSent ? "what was announced did not come back" : "nothing could be announced";
    throw new Deaf(`${what} within ${Math.round(deadlineMs)} ms`);
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

/** Waits for it, but not longer. Throws what it throws. */
async function waitFor(promise: Promise<unknown>, ms: number, ended: AbortSignal): Promise<void> {
  const over = new AbortController();
  try {
    await Promise.race([promise, pause(ms, AbortSignal.any([over.signal, ended]))]);
  } finally {
    over.abort();
  }
}

function pause(ms: number, ended: AbortSignal): Promise<void> {
  return sleep(ms, undefined, { signal: ended }).catch(() => {
    // It was cut short, as it may be.
  });
}
