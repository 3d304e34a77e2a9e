import { open, type FileHandle } from "node:fs/promises";
import { OperatorError } from "../../operator-error.ts";
import { type Reject } from "./import-counts.ts";

/** Lines that were no calls, kept so that a person can mend and import them. */
export type RejectsFile = {
  /** Writes one as NDJSON; the first makes the file, in place of an older one. */
  write: (reject: Reject) => Promise<void>;
  close: () => Promise<void>;
};

export function createRejectsFile(path: string): RejectsFile {
  let file: FileHandle | undefined;
  return {
    async write({ line, field, reason, input }) {
      try {
        file ??= await open(path, "w");
        await file.appendFile(`${JSON.stringify({ line, field, reason, input })}\n`);
      } catch (cause) {
        throw new OperatorError(`Rejected lines cannot be written to ${path}: ${String(cause)}.`, { cause });
      }
    },
    close: async () => file?.close(),
  };
}
