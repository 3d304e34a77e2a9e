import { UsageStatsError } from "@usage-stats/core";

/** Lets so many exports run at once, whose connections reports need too, and so many of one identity. */
export type ExportLimit = {
  /** Gives what says that it is over. Throws `rate_limited` for one more of one identity, `unavailable` for one more of anybody. */
  enter(subject: string): () => void;
};

const RETRY_AFTER_SECONDS = 5;

export function createExportLimit({ most, mostOfOne }: { most: number; mostOfOne: number }): ExportLimit {
  /** Whose exports are running, each as often as it has some. */
  const running: string[] = [];
  return {
    enter(subject) {
      if (running.filter((other) => other === subject).length >= mostOfOne)
        throw new UsageStatsError("rate_limited", "You have exports running. Try again when one has ended.", {
          limit: `${mostOfOne} exports of one identity at once`,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      if (running.length >= most)
        throw new UsageStatsError("unavailable", "Too many exports are running. Try again shortly.", {
          limit: `${most} exports at once`,
          retryAfterSeconds: RETRY_AFTER_SECONDS,
        });
      running.push(subject);
      let isOver = false;
      return () => {
        if (!isOver) running.splice(running.indexOf(subject), 1);
        isOver = true;
      };
    },
  };
}
