import { parseArgs } from "node:util";

export type BenchOptions = { calls: number; only?: string | undefined; json?: string | undefined };

const USAGE = `npm run bench -- [--calls <number>] [--only answers|http|ingest] [--json <file>]

  --calls  how many calls are loaded, 200000 or more (default: 5000000)
  --only   one part instead of all three
  --json   writes the results to a file too`;

/** What the command line asks for, or the text to print instead and the exit code. */
export function benchOptions(args: string[]): BenchOptions | { text: string; code: 0 | 1 } {
  try {
    const { values } = parseArgs({
      args,
      options: {
        help: { type: "boolean", short: "h" },
        json: { type: "string" },
        calls: { type: "string", default: "5000000" },
        only: { type: "string" },
      },
    });
    const { help, json, only } = values;
    if (help === true) return { text: USAGE, code: 0 };
    const calls = Number(values.calls);
    if (!Number.isInteger(calls) || calls < 200_000)
      return mistake(`--calls is ${values.calls}: it must be a whole number, 200000 or more.`);
    if (only !== undefined && !["answers", "http", "ingest"].includes(only))
      return mistake(`--only is ${only}: it must be answers, http or ingest.`);
    return { calls, json, only };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return mistake(error.message);
  }
}

function mistake(message: string): { text: string; code: 1 } {
  return { text: `${USAGE}\n\n${message}`, code: 1 };
}
