import { UsageError } from "@usage-stats/core";

/** Lets so many exports run at once, whose connections reports need too. */
export type ExportLimit = {
  /** Gives what says that it is over. Throws `unavailable`. */
  enter(): () => void;
};

export function createExportLimit(most: number): ExportLimit {
  let running = 0;
  return {
    enter() {
      if (running >= most)
        throw new UsageError("unavailable", "Too many exports are running. Try again shortly.", {
          limit: `${most} at once`,
          retryAfterSeconds: 5,
        });
      running += 1;
      let isOver = false;
      return () => {
        if (!isOver) running -= 1;
        isOver = true;
      };
    },
  };
}
