import { SingleBar } from "cli-progress";
import { type ImportProgress } from "./import-calls.ts";
import { duration } from "./import-summary.ts";

const LINE_EVERY_MS = 5_000;
const BAR_CHARACTERS = 30;

/** What a person sees while an import runs. */
export type ProgressDisplay = { update: (progress: ImportProgress) => void; stop: () => void };

export type ProgressSettings = {
  stream: NodeJS.WritableStream & { isTTY?: boolean };
  quiet: boolean;
  /** Milliseconds since the import began. */
  elapsed: () => number;
};

/** A bar on a terminal, a line every few seconds in a log, nothing where `quiet`. */
export function showProgress(settings: ProgressSettings): ProgressDisplay {
  if (settings.quiet) return { update: () => {}, stop: () => {} };
  return settings.stream.isTTY === true ? progressBar(settings) : progressLines(settings);
}

function progressBar({ stream, elapsed }: ProgressSettings): ProgressDisplay {
  // The bar's own handling of signals, cursor and line wrapping would have to be undone where the process is killed.
  const bar = new SingleBar({
    stream,
    gracefulExit: false,
    hideCursor: null,
    linewrap: null,
    clearOnComplete: true,
    format: (_options, { progress, total }, payload: { text?: string }) =>
      total > 0
        ? `[${"=".repeat(Math.round(progress * BAR_CHARACTERS)).padEnd(BAR_CHARACTERS)}] ${payload.text ?? ""}`
        : (payload.text ?? ""),
  });
  return {
    update(progress) {
      if (!bar.isActive) bar.start(progress.totalBytes ?? 0, 0);
      bar.update(progress.bytesRead, { text: describe(progress, elapsed()) });
    },
    stop: () => bar.stop(),
  };
}

function progressLines({ stream, elapsed }: ProgressSettings): ProgressDisplay {
  let last = 0;
  return {
    update(progress) {
      const now = elapsed();
      if (now - last < LINE_EVERY_MS) return;
      last = now;
      stream.write(`${describe(progress, now)}\n`);
    },
    stop: () => {},
  };
}

/** For example `41 % | 812,000 calls | 27,066 calls/s | 43 s left`. */
function describe({ counts, bytesRead, totalBytes }: ImportProgress, elapsedMs: number): string {
  const rate = elapsedMs > 0 ? Math.round((counts.read / elapsedMs) * 1000) : 0;
  const parts = [`${counts.read.toLocaleString("en")} calls`, `${rate.toLocaleString("en")} calls/s`];
  if (counts.rejected > 0) parts.push(`${counts.rejected.toLocaleString("en")} rejected`);
  if (totalBytes === null || bytesRead === 0) return parts.join(" | ");
  // A file may grow while it is read.
  const left = (elapsedMs / bytesRead) * Math.max(0, totalBytes - bytesRead);
  return [
    `${Math.min(100, Math.floor((bytesRead / totalBytes) * 100))} %`,
    ...parts,
    `${duration(left)} left`,
  ].join(" | ");
}
