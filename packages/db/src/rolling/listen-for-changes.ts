import { randomUUID } from "node:crypto";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../connection/database-client.ts";
import { type Ear } from "../listening/ear.ts";
import { type Announce, createProof } from "../listening/prove-hearing.ts";

const CALLS = "usage_stats_changes";
const KEYS = "usage_stats_keys";
const RECONNECT_MS = 1_000;
/** How long the database may take to accept a connection, and to answer LISTEN. */
const ANSWER_MS = 3_000;
const GOOD_BYE_MS = 1_000;

export type ChangeListener = {
  /** Says on this server's other connections what has to come back on the one that listens. */
  announce: Announce;
  /** Is told what was proved to have been heard. */
  ear: Ear;
  /** Calls in quarters that are over were changed, whoever did it: a user's, or (`null`) anyone's. */
  onChange(userDid: string | null): void;
  /** An API key was changed, rotated or revoked. */
  onKeyChange?(id: string): void;
  /** Anything may have been announced that nobody heard: from now on nothing is worth anything that is known from before. */
  onMissed(): void;
  /** The ear hears: for the first time, or again after `onDeaf`. */
  onHearing(): void;
  /** The ear does not hear, and why. The connection is made anew until it does. */
  onDeaf(why: unknown): void;
};

/** Listens for what the database announces once it is committed, and goes on proving that it does. */
export function listenForChanges(
  url: string,
  { announce, ear, onChange, onKeyChange, onMissed, onHearing, onDeaf }: ChangeListener,
): { close(): Promise<void> } {
  const closed = new AbortController();
  // One for all connections: behind a pooler in transaction mode nobody ends what was begun on them.
  const nonces = `usage_stats_ear_${randomUUID().replaceAll("-", "")}`;
  let said: "hears" | "deaf" | null = null;

  function sayIfChanged(why?: unknown): void {
    const state = ear.hears() ? "hears" : "deaf";
    if (state === said || closed.signal.aborted) return;
    said = state;
    if (state === "hears") onHearing();
    else onDeaf(why);
  }

  /** Listens on one connection until it is of no more use. Throws why, unless this was closed. */
  async function listenOnce(): Promise<void> {
    const socket = new Socket();
    const client = createClient({
      url,
      applicationName: "usage-stats listener",
      connectTimeoutMs: ANSWER_MS,
      queryTimeoutMs: ANSWER_MS,
      stream: () => socket,
    });
    const over = new AbortController();
    const ended = AbortSignal.any([closed.signal, over.signal]);
    const lost = new Promise<never>((_, reject) => {
      client.on("error", reject);
      client.on("end", () => reject(new Error("the connection has ended")));
      ended.addEventListener("abort", () => reject(new Error("closed")));
    });
    lost.catch(() => {});
    const proof = createProof({
      ear,
      channel: nonces,
      announce,
      onFirst: onMissed,
      onProved: sayIfChanged,
    });
    client.on("notification", ({ channel, payload = "" }) => {
      if (channel === nonces) proof.returned(payload);
      else if (channel === KEYS) onKeyChange?.(payload);
      else onChange(payload || null);
    });
    async function work(): Promise<void> {
      await client.connect();
      await client.query(`listen ${CALLS}; listen ${KEYS}; listen ${nonces}`);
      await proof.run(ended);
    }
    try {
      await Promise.race([work(), lost]);
    } finally {
      ear.lost();
      over.abort();
      // Where nothing arrives any more nobody says good-bye either.
      await Promise.race([
        client.end().catch(() => {}),
        sleep(closed.signal.aborted ? GOOD_BYE_MS : 0, undefined, { ref: false }),
      ]);
      socket.destroy();
    }
  }

  async function listen(): Promise<void> {
    while (!closed.signal.aborted) {
      await listenOnce().catch(sayIfChanged);
      await sleep(RECONNECT_MS, undefined, { signal: closed.signal }).catch(() => {});
    }
  }

  const listening = listen();
  return {
    async close() {
      closed.abort();
      await listening;
    },
  };
}
