import { parseArgs } from "node:util";

/** The parts of the bench, in the order in which they run. */
const PARTS = ["answers", "everyone", "ingest", "http"] as const;
export type BenchPart = (typeof PARTS)[number];

export type BenchOptions = {
  parts: readonly BenchPart[];
  calls: number;
  /** Whether fewer calls are loaded than goals are of. */
  small: boolean;
  /** What share of its rounds every case is measured in. */
  roundShare: number;
  json?: string | undefined;
};

const SMALL = { small: true, calls: 200_000, roundShare: 1 / 12 } as const;

const USAGE = `npm run bench -- [--small] [--calls <number>] [--only <part>] [--json <file>]

  --small  for a first look: only answers, from 200000 calls and in few rounds; or with --only another part,
           of which everyone is smaller too
  --calls  how many calls the answers are of, 200000 or more (default: 5000000)
  --only   one part instead of all four:
           answers   a user's statistics beside the ways that they replace and beside other gateways' tables;
                     sizes of rollups, and how fast they are made
           everyone  rankings of 100000 users, and all users together with 400000 open calls
           ingest    recording calls beside a plain insert
           http      kept answers, and single calls with a key, over HTTP
  --json   writes the results to a file too

What each row means: tooling/bench/README.md`;

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
    const calls = Number(values.calls);
    if (!Number.isInteger(calls) || calls < 200_000)
      return mistake(`--calls is ${values.calls}: it must be a whole number, 200000 or more.`);
    const parts = PARTS.filter((part) => only === undefined || part === only);
    if (parts.length === 0)
      return mistake(`--only is ${only}: it must be ${PARTS.slice(0, -1).join(", ")} or ${PARTS.at(-1)}.`);
    if (values.small === true) return { ...SMALL, parts: only === undefined ? ["answers"] : parts, json };
    return { small: false, parts, calls, roundShare: 1, json };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return mistake(error.message);
  }
}

function mistake(message: string): { text: string; code: 1 } {
  return { text: `${USAGE}\n\n${message}`, code: 1 };
}
