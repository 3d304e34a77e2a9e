import { type ModelCall } from "@usage-stats/core";
import { OperatorError } from "../../operator-error.ts";
import { type Reject } from "./import-counts.ts";
import { ndjsonLines } from "./ndjson-lines.ts";
import { type Preset } from "./preset.ts";
import { readCall } from "./read-call.ts";

/** What one line is, or in CSV one record, by the number of its (last) line. */
export type ReadLine = { number: number; characters: number; result: { call: ModelCall } | Reject };

/** Reads calls from bytes. Throws what the bytes throw, and `OperatorError` where they are no such file at all. */
export type ReadCalls = (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<ReadLine>;

/** NDJSON, of calls with `declared` tags or of another program's rows. */
export function readNdjson(
  declared: readonly string[] = [],
  rows?: { preset: Preset; ignored: ReadonlySet<string> },
): ReadCalls {
  return async function* (bytes) {
    for await (const line of ndjsonLines(bytes)) {
      const characters = "text" in line ? line.text.length : 0;
      yield { number: line.number, characters, result: readCall(line, declared, rows) };
    }
  };
}

/** The same, but throws `OperatorError` where there is no line at all: whoever made the file did not mean that. */
export function readSome(read: ReadCalls): ReadCalls {
  return async function* (bytes) {
    let isEmpty = true;
    for await (const line of read(bytes)) {
      isEmpty = false;
      yield line;
    }
    if (isEmpty) throw new OperatorError("The file is empty: there is no call in it.");
  };
}
