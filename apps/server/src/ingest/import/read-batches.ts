import { type ModelCall } from "@usage-stats/core";
import { type Reject } from "./import-counts.ts";
import { type Input } from "./open-input.ts";
import { type ReadCalls, readNdjson } from "./read-calls.ts";

// Beside the number of lines, so that 1,000 lines of a mebibyte each are not held at once.
const MAX_CHARACTERS = 4 * 2 ** 20;

/** Lines that follow one another: their calls in order, and how many were none. */
export type Batch = {
  calls: ModelCall[];
  rejected: number;
  /** The number of its last line. */
  line: number;
  /** The bad line that ends the import, where it stops at the first. */
  stoppedAt: Reject | null;
};

export type ReadingOptions = {
  input: Input;
  /** How it is read; NDJSON unless said otherwise. */
  read?: ReadCalls;
  /** `stop` ends at the first line that is no call, after the lines before it; `skip` goes on. */
  onError: "stop" | "skip";
  /** Lines of a batch at the most. */
  batchSize: number;
  /** Told of every line that is no call, as soon as it is read. */
  onReject?: ((reject: Reject) => void | Promise<void>) | undefined;
  /** Ends after what has been read so far. */
  signal?: AbortSignal | undefined;
};

/** Reads an input's calls by batches. Where reading fails, throws only after everything before that was given. */
export async function* readBatches({
  input,
  read = readNdjson(),
  onError,
  batchSize,
  onReject,
  signal,
}: ReadingOptions): AsyncGenerator<Batch> {
  let batch = emptyBatch();
  let characters = 0;
  let failure: { error: unknown } | null = null;
  try {
    for await (const { number, characters: length, result } of read(input.bytes)) {
      if (signal?.aborted) break;
      batch.line = number;
      if ("call" in result) {
        batch.calls.push(result.call);
      } else {
        batch.rejected += 1;
        await onReject?.(result);
        if (onError === "stop") {
          batch.stoppedAt = result;
          break;
        }
      }
      characters += length;
      if (batch.calls.length + batch.rejected < batchSize && characters < MAX_CHARACTERS) continue;
      yield batch;
      batch = emptyBatch();
      characters = 0;
    }
  } catch (error) {
    // An aborted input is closed under the reader's feet.
    if (!signal?.aborted) failure = { error };
  }
  if (batch.line > 0) yield batch;
  if (failure !== null) throw failure.error;
}

function emptyBatch(): Batch {
  return { calls: [], rejected: 0, line: 0, stoppedAt: null };
}
