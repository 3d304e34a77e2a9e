import { Presets, SingleBar } from "cli-progress";

/** A bar on a terminal, or a line every few seconds in a log; both on standard error. */
export type Progress = { update(done: number, total: number): void; stop(): void };

/** Shows how far something is, from its first step on. @param doing such as "rolling up" @param things such as "quarters" */
export function showProgressBar(doing: string, things: string): Progress {
  const bar = new SingleBar(
    {
      format: `${doing} {bar} {percentage}% | {value} of {total} ${things} | {eta_formatted} left`,
      noTTYOutput: true,
      notTTYSchedule: 5000,
      stream: process.stderr,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    update(done, total) {
      if (total === 0) return;
      if (!started) bar.start(total, 0);
      started = true;
      bar.setTotal(total);
      bar.update(done);
    },
    stop() {
      if (started) bar.stop();
    },
  };
}
