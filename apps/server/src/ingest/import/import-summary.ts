import { type ImportResult } from "./import-calls.ts";
import { type ImportCounts } from "./import-counts.ts";
import { NAME_ENCODING, NOT_UTF8 } from "./text-encoding.ts";

/** For example `read 19,366  added 19,366  repeated 0  corrected 0  rejected 0  in 0.7 s`. */
export function summaryLine(
  { read, added, repeated, corrected, rejected }: ImportCounts,
  elapsedMs: number,
): string {
  const counted = Object.entries({ read, added, repeated, corrected, rejected }).map(
    ([name, count]) => `${name} ${format(count)}`,
  );
  return [...counted, `in ${duration(elapsedMs)}`].join("  ");
}

/** What a person should know and do where not every line is in; empty where all are. */
export function advice(result: ImportResult, inputName: string, rejectsPath: string): string[] {
  const { interrupted, stoppedAt, rejected, line } = result;
  const lines: string[] = [];
  if (stoppedAt !== null) {
    const held = stoppedAt.value === undefined ? "" : ` It is ${stoppedAt.value}.`;
    lines.push(`${inputName}, line ${format(stoppedAt.line)}: ${stoppedAt.reason}${held}`);
    if (stoppedAt.reason === NOT_UTF8) lines.push(NAME_ENCODING);
    lines.push(
      "Stopped there; the lines before it are in. Mend it and import the same again, or skip bad lines with --on-error skip.",
    );
  } else if (rejected > 0) {
    lines.push(
      `${format(rejected)} rejected ${rejected === 1 ? "line is" : "lines are"} in ${rejectsPath}, each with its reason.`,
    );
  }
  if (interrupted) {
    const where = line === 0 ? "before the first line" : `after line ${format(line)}`;
    lines.push(`Interrupted ${where}. Import the same again to go on: no call is counted twice.`);
  }
  return lines;
}

/** For example `0.7 s`, `43 s`, `12 min 5 s` or `2 h 31 min`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

function format(count: number): string {
  return count.toLocaleString("en");
}
