/** A computation that several wait for. */
export type Flight<T> = {
  /** Waits for it until it is done, or `signal` aborts, whose reason is thrown then. Without a signal somebody waits to the end. */
  join(signal: AbortSignal | undefined): Promise<T>;
  /** Nobody waited any more, and it was told to end: it may fail for that reason alone. */
  isAbandoned(): boolean;
};

/** `abandoned` is aborted when all who joined have left. */
export function createFlight<T>(result: Promise<T>, abandoned: AbortController): Flight<T> {
  let waiting = 0;
  return {
    isAbandoned: () => abandoned.signal.aborted,
    join(signal) {
      waiting += 1;
      if (signal === undefined) return result;
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const leave = () => {
        waiting -= 1;
        if (waiting === 0) abandoned.abort(signal.reason);
        reject(signal.reason);
      };
      if (signal.aborted) leave();
      else signal.addEventListener("abort", leave, { once: true });
      const land = () => signal.removeEventListener("abort", leave);
      void result.finally(land).then(resolve, reject);
      return promise;
    },
  };
}
