import {
  type PartialSuccess,
  SPAN_SOURCES,
  type SpanCall,
  type SpanFault,
  type TracesRead,
} from "@usage-stats/adapters";
import { type CallResult, recordCalls, type RecordContext } from "@usage-stats/api";

/** What became of the spans of a request. */
export type SpanCounts = Record<"recorded" | "rejected" | "ignored", number>;

const MOST_NAMED = 5;

/** Records the calls that spans stand for; `partial` tells an exporter of those that were rejected. Throws `unavailable`. */
export async function recordSpans(
  ctx: RecordContext,
  { calls, faults, ignored }: TracesRead,
): Promise<{ counts: SpanCounts; partial: PartialSuccess | null }> {
  const rejected = [...faults];
  for (const result of await recordAll(ctx, calls))
    if (result.outcome === "rejected")
      rejected.push({ id: result.id ?? "", field: result.field ?? "", reason: result.reason });
  const total = calls.length + faults.length;
  return {
    counts: { recorded: total - rejected.length, rejected: rejected.length, ignored },
    partial:
      rejected.length === 0
        ? null
        : { rejectedSpans: rejected.length, errorMessage: describe(rejected, total) },
  };
}

/** An exporter does not know how many calls may be recorded at once; if a later part fails, it sends all of them again. */
async function recordAll(ctx: RecordContext, calls: readonly SpanCall[]): Promise<CallResult[]> {
  const results: CallResult[] = [];
  const { maxCalls } = ctx.ports.recordLimits;
  for (let start = 0; start < calls.length; start += maxCalls) {
    const some = { calls: calls.slice(start, start + maxCalls), atomic: false };
    results.push(...(await recordCalls(ctx, some)).results);
  }
  return results;
}

function describe(rejected: readonly SpanFault[], total: number): string {
  const named = rejected.slice(0, MOST_NAMED).map(({ id, field, reason }) => {
    const source = SPAN_SOURCES[field];
    return `${id.slice(0, 100)}: ${reason}${source === undefined ? "" : ` It comes from ${source}.`}`;
  });
  const more = rejected.length > MOST_NAMED ? [`And ${rejected.length - MOST_NAMED} more.`] : [];
  return [`${rejected.length} of ${total} model calls were rejected.`, ...named, ...more].join(" ");
}
