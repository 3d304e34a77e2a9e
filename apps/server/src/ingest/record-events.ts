import { type EventsRead } from "@usage-stats/adapters";
import { type CallResult, recordCalls, type RecordAnswer, type RecordContext } from "@usage-stats/api";
import { UsageStatsError } from "@usage-stats/core";

/**
 * Records the calls of events, and tells of each of a batch by itself. A sender of one event looks at nothing but the status, so one that
 * is rejected throws: `invalid_call`, or `conflict` where the call was voided, or is not there to be. Throws `empty_batch`,
 * `unavailable`.
 */
export async function recordEvents(
  ctx: RecordContext,
  { isBatch, events }: EventsRead,
): Promise<RecordAnswer> {
  const read = events.flatMap((event, index) => ("call" in event ? [{ index, call: event.call }] : []));
  // Nothing at all is refused by whoever records.
  const calls = read.map(({ call }) => call);
  const recorded =
    calls.length === 0 && events.length > 0 ? null : await recordCalls(ctx, { calls, atomic: false });
  const results: CallResult[] = [];
  for (const result of recorded?.results ?? []) {
    const { index } = read[result.index]!;
    results[index] = { ...result, index };
  }
  for (const [index, event] of events.entries())
    if (!("call" in event)) results[index] = { index, outcome: "rejected", code: "invalid_call", ...event };
  if (!isBatch) refuse(results[0]!);
  const counts = recorded ?? { added: 0, repeated: 0, corrected: 0, voided: 0, rejected: 0 };
  return { ...counts, rejected: counts.rejected + events.length - calls.length, results };
}

function refuse(result: CallResult): void {
  if (result.outcome !== "rejected") return;
  const { code, field, reason } = result;
  const isConflict = code === "voided" || code === "not_found";
  throw new UsageStatsError(
    isConflict ? "conflict" : "invalid_call",
    reason,
    field === null ? {} : { field },
  );
}
