import { writeFile } from "node:fs/promises";
import { type BenchDatabase, startBenchDatabase } from "./bench-database.ts";
import { type BenchPart, benchOptions } from "./bench-options.ts";
import { everyoneReportText, runEveryoneBench } from "./everyone/run-everyone-bench.ts";
import { httpReportText, runHttpBench } from "./http/run-http-bench.ts";
import { ingestReportText, runIngestBench } from "./ingest/run-ingest-bench.ts";
import { createProgress } from "./progress.ts";
import { reportText } from "./report.ts";
import { runBench } from "./run-bench.ts";

const options = benchOptions(process.argv.slice(2));
if ("text" in options) {
  (options.code === 0 ? console.log : console.error)(options.text);
  process.exit(options.code);
}
const { calls, small, roundShare, parts, json } = options;
const now = new Date();
const progress = createProgress(process.stderr);

const run: Record<BenchPart, () => Promise<{ text: string; result: object }>> = {
  answers: () =>
    withDatabase(async (database) => {
      const result = await runBench(database, { now, calls, roundShare, progress });
      return { text: reportText(result), result };
    }),
  everyone: () =>
    withDatabase(async (database) => {
      const result = await runEveryoneBench(database, { now, small, progress });
      return { text: everyoneReportText(result), result: { everyone: result } };
    }),
  ingest: async () => {
    const result = await runIngestBench(now, progress);
    return { text: ingestReportText(result), result: { ingest: result } };
  },
  http: async () => {
    const result = await runHttpBench(now, progress);
    return { text: httpReportText(result), result: { http: result } };
  },
};

const results: object[] = [];
for (const part of parts) {
  const { text, result } = await run[part]();
  progress.show("");
  console.log(`${results.length === 0 ? "" : "\n"}${text}`);
  results.push(result);
}
if (json !== undefined) await writeFile(json, `${JSON.stringify(Object.assign({}, ...results), null, 2)}\n`);

/** Gives a database of its own to what is measured, and stops it whatever happens. */
async function withDatabase<T>(measured: (database: BenchDatabase) => Promise<T>): Promise<T> {
  const database = await startBenchDatabase(now);
  const ends = (
    [
      ["SIGINT", 130],
      ["SIGTERM", 143],
    ] as const
  ).map(([signal, code]) => {
    const end = () => void database.stop().finally(() => process.exit(code));
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  try {
    return await measured(database);
  } finally {
    for (const forget of ends) forget();
    await database.stop();
  }
}
