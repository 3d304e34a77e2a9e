import { UsageStatsError } from "@usage-stats/core";

/** Lets each of many do so much at once, one after the other for whatever is more. */
export type Turns = {
  /** Runs `task` in a turn of `who`. Throws `rate_limited` where none came in time, and the signal's reason where that aborted first. */
  take<T>(who: string, signal: AbortSignal, task: () => Promise<T>): Promise<T>;
};

export type TurnsSettings = {
  /** How much each may do at once. */
  most: number;
  /** How long a turn is waited for; `null` is until the signal aborts. */
  waitMs: number | null;
  /** What is done, as it is called where it is refused. */
  ofWhat: string;
};

type Queue = { running: number; waiting: Set<() => void> };

export function createTurns({ most, waitMs, ofWhat }: TurnsSettings): Turns {
  const queues = new Map<string, Queue>();

  async function enter(queue: Queue, signal: AbortSignal): Promise<void> {
    if (queue.running < most) {
      queue.running += 1;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const giveUp = (reason: unknown) => {
      queue.waiting.delete(resolve);
      reject(reason);
    };
    const abort = () => giveUp(signal.reason);
    const timer = waitMs === null ? undefined : setTimeout(() => giveUp(tooMany(most, ofWhat)), waitMs);
    signal.addEventListener("abort", abort);
    queue.waiting.add(resolve);
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
    }
  }

  function leave(who: string, queue: Queue): void {
    const [next] = queue.waiting;
    if (next !== undefined) {
      // It takes over this turn, so that nobody who comes in between does.
      queue.waiting.delete(next);
      return next();
    }
    queue.running -= 1;
    if (queue.running === 0) queues.delete(who);
  }

  return {
    async take(who, signal, task) {
      signal.throwIfAborted();
      let queue = queues.get(who);
      if (queue === undefined) queues.set(who, (queue = { running: 0, waiting: new Set() }));
      await enter(queue, signal);
      try {
        return await task();
      } finally {
        leave(who, queue);
      }
    },
  };
}

function tooMany(most: number, ofWhat: string): UsageStatsError {
  return new UsageStatsError("rate_limited", `Too many ${ofWhat} at once. Try again in 1 s.`, {
    limit: `${most} ${ofWhat} at once`,
    retryAfterSeconds: 1,
  });
}
