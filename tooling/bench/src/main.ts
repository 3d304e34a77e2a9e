import { writeFile } from "node:fs/promises";
import { startBenchDatabase } from "./bench-database.ts";
import { benchOptions } from "./bench-options.ts";
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
const { calls, roundShare, only, json } = options;
const now = new Date();
const progress = createProgress(process.stderr);
const results: object[] = [];

if (only === undefined || only === "answers") {
  const database = await startBenchDatabase(now);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    process.once(signal, () => {
      void database.stop().finally(() => process.exit(code));
    });
  try {
    const result = await runBench(database, { now, calls, roundShare, progress });
    progress.show("");
    console.log(reportText(result));
    results.push(result);
  } finally {
    await database.stop();
  }
}
if (only === undefined || only === "ingest") {
  const result = await runIngestBench(now, progress);
  progress.show("");
  console.log(`\n${ingestReportText(result)}`);
  results.push({ ingest: result });
}
if (only === undefined || only === "http") {
  const result = await runHttpBench(now, progress);
  progress.show("");
  console.log(`\n${httpReportText(result)}`);
  results.push({ http: result });
}
if (json !== undefined) await writeFile(json, `${JSON.stringify(Object.assign({}, ...results), null, 2)}\n`);
