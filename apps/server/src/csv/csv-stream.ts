const encoder = new TextEncoder();
// Small enough that what a reader takes of it in a few seconds shows.
const PIECE_BYTES = 65_536;

/**
 * Texts as a stream of UTF-8, in small pieces: the next is asked for when those before were taken. A failure breaks it off, so that nobody
 * takes a part for the whole.
 */
export function csvStream(first: string[], rest: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const pieces = cutAll(first, rest);
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await pieces.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await pieces.return(undefined);
    },
  });
}

async function* cutAll(first: string[], rest: AsyncIterable<string>): AsyncGenerator<Uint8Array, undefined> {
  yield* cut(encoder.encode(first.join("")));
  for await (const text of rest) yield* cut(encoder.encode(text));
}

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += PIECE_BYTES)
    yield bytes.subarray(start, start + PIECE_BYTES);
}
