import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "../connection/database-client.ts";

const CALLS = "usage_stats_changes";
const KEYS = "usage_stats_keys";
const RECONNECT_MS = 2_000;

export type ChangeListener = {
  /** Calls in quarters that are over were changed, whoever did it: a user's, or (`null`) anyone's. */
  onChange(userDid: string | null): void;
  /** An API key was changed, rotated or revoked. */
  onKeyChange?(id: string): void;
  /** From now on every change is heard; some may have been missed before. */
  onListening(): void;
  /** Told of every failure; a lost connection is made again. */
  onError(error: unknown): void;
};

/** Listens for what the database announces once it is committed. */
export function listenForChanges(
  url: string,
  { onChange, onKeyChange, onListening, onError }: ChangeListener,
): { close(): Promise<void> } {
  const closed = new AbortController();

  async function listen(): Promise<void> {
    while (!closed.signal.aborted) {
      const client = createClient({ url, applicationName: "usage-stats listener" });
      try {
        const ended = new Promise<void>((resolve, reject) => {
          client.on("error", reject);
          client.on("end", resolve);
          closed.signal.addEventListener("abort", () => resolve());
        });
        ended.catch(() => {});
        await client.connect();
        client.on("notification", ({ channel, payload }) => {
          if (channel === KEYS) onKeyChange?.(payload ?? "");
          else onChange(payload || null);
        });
        await client.query(`listen ${CALLS}; listen ${KEYS}`);
        onListening();
        await ended;
      } catch (error) {
        if (!closed.signal.aborted) onError(error);
      } finally {
        await client.end().catch(() => {
          // It is gone already.
        });
      }
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
