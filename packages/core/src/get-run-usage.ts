import { UsageStatsError } from "./errors.ts";
import { sumMeasures, toMetrics } from "./measures.ts";
import { type DatabaseCost } from "./ports.ts";
import { MAX_RUNS, type RunReader, type RunUsage, type RunUsageQuery } from "./run-usage.ts";

/**
 * Answers what a run with all that it began, or a conversation, cost, of one database snapshot. A run that nobody has called is there
 * with nothing. Throws `number_too_large` where there are more than a thousand runs: a part is never given for the whole.
 */
export async function getRunUsage(
  reader: RunReader,
  query: RunUsageQuery,
  signal?: AbortSignal,
): Promise<{ usage: RunUsage; cost: DatabaseCost }> {
  const { runs, statements, durationMs } = await reader.readRuns({ ...query, most: MAX_RUNS }, signal);
  if (new Set(runs.flatMap(({ runId }) => runId ?? [])).size > MAX_RUNS) throw tooMany(query);
  const totals = toMetrics(sumMeasures(runs.map(({ measures }) => measures)));
  const all = runs.map(({ runId, parentRunId, measures }) => ({
    runId,
    parentRunId,
    metrics: toMetrics(measures),
  }));
  return { usage: { totals, runs: rootFirst(query, all) }, cost: { statements, durationMs } };
}

/** The run that was asked about comes before those that it began, whenever they did. */
function rootFirst({ of }: RunUsageQuery, runs: RunUsage["runs"]): RunUsage["runs"] {
  if (!("runId" in of)) return runs;
  const root = runs.find(({ runId }) => runId === of.runId) ?? {
    runId: of.runId,
    parentRunId: null,
    metrics: toMetrics(sumMeasures([])),
  };
  return [root, ...runs.filter((run) => run !== root)];
}

function tooMany({ of }: RunUsageQuery): UsageStatsError {
  const [field, whole] =
    "runId" in of ? ["runId", "This run began"] : ["conversationId", "This conversation has"];
  const most = MAX_RUNS.toLocaleString("en");
  return new UsageStatsError(
    "number_too_large",
    `${whole} more runs than can be added up at once. Ask for some of them.`,
    { field, limit: `${most} runs` },
  );
}
