import { type ModelCall } from "@usage-stats/core";
import { type Reject } from "./import-counts.ts";
import { ndjsonLines } from "./ndjson-lines.ts";
import { readCall, type Shape } from "./read-call.ts";

/** What one line is, or in CSV one record, by the number of its (last) line. */
export type ReadLine = { number: number; characters: number; result: { call: ModelCall } | Reject };

/** Reads calls from bytes. Throws what the bytes throw, and `OperatorError` where they are no such file at all. */
export type ReadCalls = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<ReadLine>;

/** NDJSON, each value shaped into a call first. */
export function readNdjson(shape?: Shape): ReadCalls {
  return async function* (bytes) {
    for await (const line of ndjsonLines(bytes)) {
      const characters = "text" in line ? line.text.length : 0;
      yield { number: line.number, characters, result: readCall(line, shape) };
    }
  };
}
