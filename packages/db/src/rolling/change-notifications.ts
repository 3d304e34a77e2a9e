import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { type Database } from "../database.ts";

const CHANNEL = "usage_stats_changes";
const RECONNECT_MS = 2_000;
const AT_MOST_EVERY_MS = 1_000;

/**
 * Gives a function that tells rollup workers of calls that came after their quarter had closed. Not a part of recording
 * them: a NOTIFY inside a transaction makes all transactions commit one after the other.
 */
export function createChangeNotifier(orm: Database): (earliest: Date) => Promise<void> {
  let last = Number.NEGATIVE_INFINITY;
  return async (earliest) => {
    if (performance.now() - last < AT_MOST_EVERY_MS) return;
    last = performance.now();
    await orm.em
      .fork()
      .execute("select pg_notify(?, '') where ?::timestamptz < quarter_of(clock_timestamp())", [
        CHANNEL,
        earliest.toISOString(),
      ]);
  };
}

/** Calls `onChange` at each notification; a lost connection is made again. */
export function listenForChanges(
  url: string,
  onChange: () => void,
  onError: (error: unknown) => void,
): { close(): Promise<void> } {
  const closed = new AbortController();

  async function listen(): Promise<void> {
    while (!closed.signal.aborted) {
      const client = new Client({
        connectionString: url,
        application_name: "usage-stats listener",
        keepAlive: true,
      });
      try {
        const ended = new Promise<void>((resolve, reject) => {
          client.on("error", reject);
          client.on("end", resolve);
          closed.signal.addEventListener("abort", () => resolve());
        });
        ended.catch(() => {});
        await client.connect();
        client.on("notification", onChange);
        await client.query(`listen ${CHANNEL}`);
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
