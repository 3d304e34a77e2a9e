import { Readable } from "node:stream";
import { type Input, openInput } from "../../../src/ingest/import/open-input.ts";

/** A line of an NDJSON file of calls, changed where a test cares. */
export function callLine(number: number, change: object = {}): string {
  return JSON.stringify({
    id: `call-${number}`,
    userDid: `did:abt:z1user${number % 7}`,
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    status: "success",
    callTime: new Date(Date.UTC(2026, 0, 1) + number * 1000).toISOString(),
    inputTokens: number % 1000,
    outputTokens: 5,
    credits: "0.00012345",
    ...change,
  });
}

/** An input of these bytes, in chunks of any size. */
export function inputOf(content: string | Uint8Array, chunkBytes = 65_536): Promise<Input> {
  return openInput("-", Readable.from(chunksOf(Buffer.from(content), chunkBytes), { objectMode: false }));
}

export function* chunksOf(bytes: Buffer, chunkBytes: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += chunkBytes)
    yield bytes.subarray(start, start + chunkBytes);
}

/** Everything of a stream, in a list. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}
