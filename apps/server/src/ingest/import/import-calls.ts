import { type CallWriter, type RecordOutcome } from "@usage-stats/core";
import { type ImportCounts, noCounts, type Reject } from "./import-counts.ts";
import { ImportFailure } from "./import-failure.ts";
import { type Batch, readBatches, type ReadingOptions } from "./read-batches.ts";

const DEFAULT_BATCH = 1_000;

export type ImportProgress = { counts: ImportCounts; bytesRead: number; totalBytes: number | null };

export type ImportOptions = Omit<ReadingOptions, "batchSize"> & {
  callWriter: CallWriter;
  batchSize?: number;
  /** Told after every batch. */
  onProgress?: (progress: ImportProgress) => void;
};

export type ImportResult = ImportCounts & {
  /** Whether the signal ended it. */
  interrupted: boolean;
  /** The bad line that ended it, where bad lines do. */
  stoppedAt: Reject | null;
};

/**
 * Records the calls of an NDJSON input in their order, and closes it. The next batch is read while one is written, and
 * no more than these two are held. Throws `ImportFailure`, which says how far it got, where the database or the input fails.
 */
export async function importCalls(options: ImportOptions): Promise<ImportResult> {
  const { input, callWriter, batchSize = DEFAULT_BATCH, onProgress, signal } = options;
  const counts = noCounts();
  let stoppedAt: Reject | null = null;
  // Without this, an import of a quiet pipe would notice only when its next line comes.
  const stopReading = () => input.close();
  signal?.addEventListener("abort", stopReading);
  if (signal?.aborted) stopReading();
  const batches = readBatches({ ...options, batchSize });
  let next = batches.next();
  try {
    for (;;) {
      const { value: batch, done } = await next;
      if (done === true) break;
      next = batches.next();
      // If reading on fails, that is for the await above to throw, once this batch is written.
      next.catch(() => {});
      await writeBatch(batch, callWriter, counts);
      stoppedAt = batch.stoppedAt;
      onProgress?.({ counts: { ...counts }, bytesRead: input.bytesRead(), totalBytes: input.totalBytes });
    }
  } catch (error) {
    throw new ImportFailure(counts, error);
  } finally {
    signal?.removeEventListener("abort", stopReading);
    input.close();
    // Nobody is told of a bad line after this has returned.
    await Promise.allSettled([next]);
  }
  return { ...counts, interrupted: signal?.aborted ?? false, stoppedAt };
}

async function writeBatch(batch: Batch, callWriter: CallWriter, counts: ImportCounts): Promise<void> {
  const outcomes = batch.calls.length === 0 ? [] : await callWriter.record(batch.calls);
  // A call that was voided meanwhile takes no other content.
  for (const outcome of outcomes) counts[isCounted(outcome) ? outcome : "rejected"] += 1;
  counts.rejected += batch.rejected;
  counts.read += outcomes.length + batch.rejected;
  counts.line = batch.line;
}

function isCounted(outcome: RecordOutcome): outcome is "added" | "repeated" | "corrected" {
  return outcome === "added" || outcome === "repeated" || outcome === "corrected";
}
