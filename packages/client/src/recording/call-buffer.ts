/** A call, and the JSON that it was when it was recorded. */
type Buffered<Call> = { call: Call; json: string; bytes: number };

export type BufferLimits = { maxCalls: number; maxBytes: number };

/** Calls in the order they came in, as many as may be held. They leave it in that order, once they are settled. */
export type CallBuffer<Call> = {
  /** `false` where there is no room. */
  add(call: Call, json: string): boolean;
  /** The oldest calls: one if there is any, and more within the limits. */
  first(limits: BufferLimits): Buffered<Call>[];
  /** Lets the oldest calls go, and gives them back. */
  settle(count: number): Buffered<Call>[];
  held(): { calls: number; bytes: number };
  /** How many calls were ever let in, and how many have left. */
  added(): number;
  settled(): number;
};

export function createCallBuffer<Call>({ maxCalls, maxBytes }: BufferLimits): CallBuffer<Call> {
  const encoder = new TextEncoder();
  const queue: Buffered<Call>[] = [];
  let heldBytes = 0;
  let added = 0;

  return {
    add(call, json) {
      const bytes = encoder.encode(json).length;
      if (queue.length >= maxCalls || heldBytes + bytes > maxBytes) return false;
      queue.push({ call, json, bytes });
      heldBytes += bytes;
      added += 1;
      return true;
    },
    first(limits) {
      let bytes = 0;
      let end = 0;
      while (end < Math.min(limits.maxCalls, queue.length)) {
        bytes += queue[end]!.bytes;
        if (bytes > limits.maxBytes && end > 0) break;
        end += 1;
      }
      return queue.slice(0, end);
    },
    settle(count) {
      const gone = queue.splice(0, count);
      for (const { bytes } of gone) heldBytes -= bytes;
      return gone;
    },
    held: () => ({ calls: queue.length, bytes: heldBytes }),
    added: () => added,
    settled: () => added - queue.length,
  };
}
