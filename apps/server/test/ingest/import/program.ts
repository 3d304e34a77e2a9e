import { type CallChange } from "@usage-stats/core";
import { Command } from "commander";
import { registerImport } from "../../../src/ingest/import/import-command.ts";
import { OperatorError } from "../../../src/operator-error.ts";
import { memoryRecorder } from "./memory-recorder.ts";

// The import command as `main.ts` runs it, recording into memory and failing after FAIL_AFTER batches.
const failAfter = Number(process.env["FAIL_AFTER"] ?? Infinity);
const { callWriter, batches } = memoryRecorder();
const program = new Command("usage-stats");
const openCallWriter = async () => ({
  callWriter: {
    async record(calls: readonly CallChange[]) {
      if (batches.length === failAfter) throw new Error("database gone");
      if (process.env["TELL_BATCHES"]) console.error("batch");
      return callWriter.record(calls);
    },
  },
  close: async () => console.error("database closed"),
});
registerImport(program, openCallWriter, () => []);
try {
  await program.parseAsync();
} catch (error) {
  console.error(error instanceof OperatorError ? `usage-stats: ${error.message}` : error);
  process.exitCode = 1;
}
