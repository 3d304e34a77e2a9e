import { createGunzip, type Gunzip } from "node:zlib";
import { OperatorError } from "../../operator-error.ts";

// A byte of deflate stands for at most 1,032: what is unpacked at a time stays below 17 MB.
const SLICE_BYTES = 16_384;

/**
 * Unpacks gzip, members one after another included. Of a file that breaks off, everything before the end is
 * given, and only then an `OperatorError` thrown: piping into the stream would lose what it had unpacked last.
 */
export async function* gunzip(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const stream = createGunzip();
  let unpacked: Uint8Array[] = [];
  stream.on("data", (piece: Uint8Array) => unpacked.push(piece));
  const take = () => {
    const pieces = unpacked;
    unpacked = [];
    return pieces;
  };
  try {
    for await (const chunk of bytes) {
      for (let start = 0; start < chunk.length; start += SLICE_BYTES) {
        const failure = await settle(stream, (done) =>
          stream.write(chunk.subarray(start, start + SLICE_BYTES), done),
        );
        yield* take();
        if (failure !== null) throw gzipError(failure, name);
      }
    }
    // The stream is finished before it knows whether anything is missing, and at its end only where nothing is.
    const failure = await settle(stream, (done) => void stream.once("end", () => done()).end());
    yield* take();
    if (failure !== null) throw gzipError(failure, name);
  } finally {
    stream.destroy();
  }
}

/** Waits for a step on the stream, and gives the error where it fails. */
function settle(stream: Gunzip, step: (done: (error?: Error | null) => void) => void): Promise<Error | null> {
  return new Promise((resolve) => {
    stream.once("error", resolve);
    step((error) => {
      // The stream says its error once more, to listeners, right after this.
      if (!error) stream.off("error", resolve);
      resolve(error ?? null);
    });
  });
}

function gzipError(cause: Error, name: string): OperatorError {
  const truncated = "code" in cause && cause.code === "Z_BUF_ERROR";
  const how = truncated
    ? "ends in the middle: it was not copied or packed to its end"
    : `is damaged (${cause.message})`;
  return new OperatorError(`The gzip data of ${name} ${how}.`, { cause });
}
