import { parseArgs } from "node:util";

export type BenchOptions = {
  calls: number;
  /** What share of its rounds every case is measured in. */
  roundShare: number;
  only?: string | undefined;
  json?: string | undefined;
};

const SMALL = { calls: 200_000, roundShare: 1 / 12, only: "answers" };

const USAGE = `npm run bench -- [--small] [--calls <number>] [--only answers|http|ingest] [--json <file>]

  --small  only answers, from 200000 calls and in few rounds: under a minute, for a first look
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
        small: { type: "boolean" },
        json: { type: "string" },
        calls: { type: "string", default: "5000000" },
        only: { type: "string" },
      },
    });
    const { help, json, only } = values;
    if (help === true) return { text: USAGE, code: 0 };
    if (values.small === true) return { ...SMALL, json };
    const calls = Number(values.calls);
    if (!Number.isInteger(calls) || calls < 200_000)
      return mistake(`--calls is ${values.calls}: it must be a whole number, 200000 or more.`);
    if (only !== undefined && !["answers", "http", "ingest"].includes(only))
      return mistake(`--only is ${only}: it must be answers, http or ingest.`);
    return { calls, roundShare: 1, json, only };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return mistake(error.message);
  }
}

function mistake(message: string): { text: string; code: 1 } {
  return { text: `${USAGE}\n\n${message}`, code: 1 };
}
