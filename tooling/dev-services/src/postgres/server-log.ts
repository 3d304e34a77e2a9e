import { closeSync, fstatSync, openSync, readSync, renameSync, statSync } from "node:fs";

const FRESH_AFTER_BYTES = 10 * 1024 ** 2;

/** The server's log file, opened for appending. A descriptor, not a pipe: it outlives us, and never blocks an orphaned server. */
export class ServerLog {
  readonly descriptor: number;
  readonly #path: string;
  readonly #start: number;

  /** Begins a fresh file when the old one is over 10 MB; the old one is kept once, as `<path>.1`. */
  constructor(path: string) {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > FRESH_AFTER_BYTES)
      renameSync(path, `${path}.1`);
    this.#path = path;
    this.descriptor = openSync(path, "a", 0o600);
    this.#start = fstatSync(this.descriptor).size;
  }

  /** What was written since this object opened the file; its last 16 kB. */
  written(): string {
    const file = openSync(this.#path, "r");
    try {
      const from = Math.max(this.#start, fstatSync(file).size - 16_384);
      const bytes = Buffer.alloc(16_384);
      return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from));
    } finally {
      closeSync(file);
    }
  }

  lastLines(count = 20): string {
    return this.written().trimEnd().split("\n").slice(-count).join("\n");
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
