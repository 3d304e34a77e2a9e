import { UsageStatsError } from "@usage-stats/core";

/** Until when a request may wait, for everything together, from its arrival on. */
export type RequestDeadline = {
  /** In milliseconds of `performance.now()`. */
  at: number;
  /** Aborts with `unavailable` then, or once whoever asked has left. Made when it is first asked for, because it costs more than a cached answer. */
  signal(): AbortSignal;
  /** The request is answered. */
  end(): void;
};

/** Starts now, which is when the request has arrived. */
export function startRequestDeadline(ms: number, left: () => AbortSignal): RequestDeadline {
  const at = performance.now() + ms;
  let over: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  const end = () => clearTimeout(timer);

  function start(): AbortController {
    const controller = new AbortController();
    const abort = (message: string) => {
      end();
      controller.abort(new UsageStatsError("unavailable", message));
    };
    const leave = () => abort("Whoever asked has left.");
    if (left().aborted) leave();
    else {
      left().addEventListener("abort", leave, { once: true });
      timer = setTimeout(
        () => abort("This could not be answered in time. Try again shortly."),
        Math.max(0, at - performance.now()),
      );
    }
    return controller;
  }

  return { at, signal: () => (over ??= start()).signal, end };
}
