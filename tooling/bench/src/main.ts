import { writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { startBenchDatabase } from "./bench-database.ts";
import { httpReportText, runHttpBench } from "./http/run-http-bench.ts";
import { ingestReportText, runIngestBench } from "./ingest/run-ingest-bench.ts";
import { createProgress } from "./progress.ts";
import { reportText } from "./report.ts";
import { runBench } from "./run-bench.ts";

const { values } = parseArgs({
  options: {
    json: { type: "string" },
    calls: { type: "string", default: "5000000" },
    only: { type: "string" },
  },
});
const calls = Number(values.calls);
if (!Number.isInteger(calls) || calls < 200_000)
  throw new Error(`--calls is ${values.calls}: it must be a whole number, 200000 or more`);
if (values.only !== undefined && !["answers", "http", "ingest"].includes(values.only))
  throw new Error(`--only is ${values.only}: it must be answers, http or ingest`);

const now = new Date();
const progress = createProgress(process.stderr);
const results: object[] = [];

if (values.only === undefined || values.only === "answers") {
  const database = await startBenchDatabase(now);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)
    process.once(signal, () => {
      void database.stop().finally(() => process.exit(code));
    });
  try {
    const result = await runBench(database, { now, calls, progress });
    progress.show("");
    console.log(reportText(result));
    results.push(result);
  } finally {
    await database.stop();
  }
}
if (values.only === undefined || values.only === "ingest") {
  const result = await runIngestBench(now, progress);
  progress.show("");
  console.log(`\n${ingestReportText(result)}`);
  results.push({ ingest: result });
}
if (values.only === undefined || values.only === "http") {
  const result = await runHttpBench(now, progress);
  progress.show("");
  console.log(`\n${httpReportText(result)}`);
  results.push({ http: result });
}
if (values.json !== undefined)
  await writeFile(values.json, `${JSON.stringify(Object.assign({}, ...results), null, 2)}\n`);
