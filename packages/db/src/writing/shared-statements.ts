import { type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { type PoolClient } from "pg";
import { lendConnection } from "../connection/lend-connection.ts";
import { isTransient } from "../connection/sqlstate.ts";
import { type Database } from "../database.ts";
import { ENOUGH_CALLS } from "./shares-statement.ts";
import { type AttemptWrite } from "./write-attempt.ts";
import { onWriteDeadline, startWriteDeadline, type WriteDeadline } from "./write-deadline.ts";

/** Writes the calls of a recording by a statement that it shares with others. */
export type SharedStatements = {
  write(calls: readonly ModelCall[], deadline: WriteDeadline): Promise<RecordOutcome[]>;
};

/** How a recording is written by itself. */
type WriteAlone = (calls: readonly ModelCall[], deadline: WriteDeadline) => Promise<RecordOutcome[]>;

type Waiting = {
  calls: readonly ModelCall[];
  deadline: WriteDeadline;
  since: number;
  /** Ends the wait for a statement. */
  stopWaiting(): void;
  resolve(outcomes: RecordOutcome[] | Promise<RecordOutcome[]>): void;
  reject(reason: unknown): void;
};

// Calls of one statement at the most. With more the database would be idle while this process writes them down, and the other way round.
const MOST_CALLS = 200;
// Behind a statement that takes longer, because it waits for somebody's lock, nobody waits.
const SLOW_MS = 100;
// A statement that waits longer for a lock is given up: only one of those that share it needs that lock.
const LOCK_TIMEOUT_MS = 500;

/**
 * Makes what writes small recordings together: those that come while a statement runs go in the next, and nobody waits where none
 * does. No two may name the same call. Each ends as it would have ended by itself: whatever goes wrong with a statement, all that
 * shared it are written `alone`; until it is sent, each can leave by its own deadline and signal; and it is given up at the first
 * of their deadlines.
 */
export function createSharedStatements(
  orm: Database,
  attempt: AttemptWrite,
  alone: WriteAlone,
): SharedStatements {
  const waiting = new Set<Waiting>();
  let waitingCalls = 0;
  /** Whether a connection is waited for, whose statement will be shared by whoever waits then. */
  let isOpening = false;
  /** Statements that run, and not for long. */
  let running = 0;

  function write(calls: readonly ModelCall[], deadline: WriteDeadline): Promise<RecordOutcome[]> {
    deadline.check();
    const { promise, resolve, reject } = Promise.withResolvers<RecordOutcome[]>();
    const stopWaiting = () => {
      if (waiting.delete(one)) waitingCalls -= calls.length;
      stopListening();
    };
    const stopListening = onWriteDeadline(deadline, (reason) => {
      stopWaiting();
      reject(reason);
    });
    const one = { calls, deadline, since: performance.now(), stopWaiting, resolve, reject };
    waiting.add(one);
    waitingCalls += calls.length;
    begin();
    return promise;
  }

  function begin(): void {
    if (isOpening || waiting.size === 0 || (running > 0 && waitingCalls < ENOUGH_CALLS)) return;
    isOpening = true;
    void runStatement();
  }

  async function runStatement(): Promise<void> {
    const opened = performance.now();
    const late = new AbortController();
    const statement = { isLent: false, sharing: [] as readonly Waiting[] };
    try {
      await lendConnection(orm, { signal: late.signal }, async (client) => {
        isOpening = false;
        statement.isLent = true;
        const sharing = (statement.sharing = take());
        if (sharing.length > 0) tell(sharing, await send(client, sharing, late));
      });
    } catch (error) {
      for (const one of statement.sharing) one.resolve(alone(one.calls, one.deadline));
      if (!statement.isLent) leaveWithout(error, opened);
    }
    begin();
  }

  /** Those that waited longest. */
  function take(): Waiting[] {
    const sharing: Waiting[] = [];
    let calls = 0;
    for (const one of waiting) {
      calls += one.calls.length;
      if (calls > MOST_CALLS) break;
      one.stopWaiting();
      sharing.push(one);
    }
    return sharing;
  }

  async function send(
    client: PoolClient,
    sharing: readonly Waiting[],
    late: AbortController,
  ): Promise<RecordOutcome[]> {
    const first = Math.min(...sharing.map(({ deadline }) => deadline.at ?? Infinity));
    const deadline = startWriteDeadline(first === Infinity ? {} : { deadline: first }, late);
    const calls = sharing.flatMap((one) => one.calls);
    let isCounted = true;
    const uncount = () => {
      if (isCounted) running -= 1;
      isCounted = false;
    };
    const slow = setTimeout(() => {
      uncount();
      begin();
    }, SLOW_MS);
    running += 1;
    begin();
    try {
      return await attempt(client, calls, deadline, { isPlain: true, lockTimeoutMs: LOCK_TIMEOUT_MS });
    } finally {
      clearTimeout(slow);
      uncount();
      deadline.end();
    }
  }

  /** No connection came. Whoever began to wait later may wait longer. */
  function leaveWithout(error: unknown, opened: number): void {
    isOpening = false;
    for (const one of waiting) {
      if (one.since > opened) break;
      one.stopWaiting();
      if (isTransient(error)) one.resolve(alone(one.calls, one.deadline));
      else one.reject(error);
    }
  }

  return { write };
}

function tell(sharing: readonly Waiting[], outcomes: readonly RecordOutcome[]): void {
  let start = 0;
  for (const { calls, resolve } of sharing) {
    resolve(outcomes.slice(start, start + calls.length));
    start += calls.length;
  }
}
