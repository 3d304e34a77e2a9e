import { type ServerResponse } from "node:http";

export type ReaderLimits = {
  /** How long a reader may take nothing, or fall behind. */
  patienceMs: number;
  /** What a reader has to take on average, to earn more time. */
  minBytesPerSecond: number;
};

/** Watches one response, until it is over. */
export type WatchReader = (response: ServerResponse) => void;

type Patience = { leftMs: number; handed: number };

/**
 * Drops the connection of whoever does not take what is sent to them, and with it whatever the response holds. Time counts only
 * while something waits to be taken: never while we are the slow ones. A reader has `patienceMs` and, for each byte that is handed to the
 * socket, the time that it may take; what was taken quickly is not saved up for later. Node's own timer sees a large piece
 * move, of which only the end can be seen here, and drops a reader of whom nothing at all is seen for so long.
 */
export function watchReaders({ patienceMs, minBytesPerSecond }: ReaderLimits): {
  watch: WatchReader;
  stop(): void;
} {
  const watched = new Map<ServerResponse, Patience>();
  const checkMs = Math.min(1_000, patienceMs / 10);
  let checkedAt = performance.now();
  const timer = setInterval(check, checkMs).unref();

  const msFor = (bytes: number) => (bytes / minBytesPerSecond) * 1_000;

  function check(): void {
    const now = performance.now();
    // A pause of ours is nobody's fault.
    const passedMs = Math.min(now - checkedAt, 2 * checkMs);
    checkedAt = now;
    for (const [{ socket }, patience] of watched) {
      // The responses to those who do not wait for one stand in line.
      if (socket === null) continue;
      const waiting = socket.writableLength;
      const earnedMs = msFor(socket.bytesWritten - patience.handed);
      patience.handed = socket.bytesWritten;
      patience.leftMs = Math.min(patience.leftMs + earnedMs, patienceMs + msFor(waiting));
      if (waiting > 0) patience.leftMs -= passedMs;
      if (patience.leftMs <= 0) socket.destroy();
    }
  }

  return {
    watch(response) {
      watched.set(response, { leftMs: patienceMs, handed: response.socket?.bytesWritten ?? 0 });
      response.once("close", () => watched.delete(response));
      // It looks twice before it says that nothing moved.
      response.setTimeout(patienceMs / 2, () => {
        if (response.socket !== null && response.socket.writableLength > 0) response.socket.destroy();
      });
    },
    stop: () => clearInterval(timer),
  };
}
