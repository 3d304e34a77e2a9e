import { realpath } from "node:fs/promises";
import { type CallWriter } from "@usage-stats/core";
import { type Command, Option } from "commander";
import { OperatorError } from "../../operator-error.ts";
import { importCalls, type ImportResult } from "./import-calls.ts";
import { ImportFailure } from "./import-failure.ts";
import { IMPORT_HELP } from "./import-help.ts";
import { showProgress } from "./import-progress.ts";
import { advice, summaryLine } from "./import-summary.ts";
import { type Input, openInput } from "./open-input.ts";
import { addInputOptions, type InputOptions, readerOf } from "./input-options.ts";
import { type ReadCalls } from "./read-calls.ts";
import { createRejectsFile } from "./rejects-file.ts";

/** Opens what calls are recorded in; called only once there is something to read. */
export type OpenCallWriter = () => Promise<{ callWriter: CallWriter; close(): Promise<void> }>;

type Options = InputOptions & { onError: "stop" | "skip"; rejects?: string; quiet?: boolean };

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Adds the command. `readTags` says which tags a call may have. */
export function registerImport(
  program: Command,
  openCallWriter: OpenCallWriter,
  readTags: () => readonly string[],
): void {
  addInputOptions(program.command("import"))
    .description("record the calls of a file, NDJSON or CSV; importing it again adds nothing twice")
    .argument("<file>", "one call a line, or CSV with a header, plain or gzip; - reads standard input")
    .addOption(
      new Option("--on-error <what>", "at a line that is no call").choices(["stop", "skip"]).default("stop"),
    )
    .option("--rejects <file>", "where rejected lines go, if there are any (default: <file>.rejects.ndjson)")
    .option("--quiet", "show no progress")
    .addHelpText("after", IMPORT_HELP)
    .action(async (path: string, options: Options) => {
      process.exitCode = exitCodeOf(await runImport(path, options, openCallWriter, readTags()));
    });
}

async function runImport(
  path: string,
  options: Options,
  openCallWriter: OpenCallWriter,
  declared: readonly string[],
): Promise<ImportResult> {
  const read = readerOf(path, options, declared);
  const rejectsPath = options.rejects ?? (path === "-" ? "import.rejects.ndjson" : `${path}.rejects.ndjson`);
  if (await isSameFile(path, rejectsPath))
    throw new OperatorError(
      `Rejected lines would overwrite ${path} itself. Name another file with --rejects.`,
    );
  const input = await openInput(path, process.stdin);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort();
  // Only the first: a second Ctrl-C ends the process at once, which loses nothing but the batch being written.
  for (const signal of SIGNALS) process.once(signal, interrupt);
  try {
    const database = await openCallWriter();
    try {
      return await importAndTell(input, read, rejectsPath, options, database.callWriter, interruption.signal);
    } finally {
      await database.close();
    }
  } finally {
    input.close();
    for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}

async function importAndTell(
  input: Input,
  read: ReadCalls,
  rejectsPath: string,
  { onError, quiet = false }: Options,
  callWriter: CallWriter,
  signal: AbortSignal,
): Promise<ImportResult> {
  const begin = performance.now();
  const elapsed = () => performance.now() - begin;
  const rejects = createRejectsFile(rejectsPath);
  const progress = showProgress({ stream: process.stderr, quiet, elapsed });
  try {
    const result = await importCalls({
      input,
      read,
      callWriter,
      onError,
      signal,
      onReject: rejects.write,
      onProgress: progress.update,
    });
    progress.stop();
    console.log(summaryLine(result, elapsed()));
    for (const line of advice(result, input.name, rejectsPath)) console.error(line);
    return result;
  } catch (error) {
    progress.stop();
    if (error instanceof ImportFailure) console.log(summaryLine(error.counts, elapsed()));
    throw error;
  } finally {
    await rejects.close();
  }
}

function exitCodeOf({ interrupted, rejected }: ImportResult): number {
  if (interrupted) return 130;
  return rejected > 0 ? 1 : 0;
}

async function isSameFile(path: string, other: string): Promise<boolean> {
  // A path that leads nowhere is not the same as another; opening it says what is wrong with it.
  const [real, otherReal] = await Promise.all([path, other].map((name) => realpath(name).catch(() => null)));
  return path !== "-" && real !== null && real === otherReal;
}
