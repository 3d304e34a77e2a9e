import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { CsvError, parse } from "csv-parse";
import { OperatorError } from "../operator-error.ts";
import { type CsvMapping, csvShape } from "./csv-shape.ts";
import { MAX_LINE_BYTES } from "./ndjson-lines.ts";
import { callFrom } from "./read-call.ts";
import { type ReadCalls } from "./read-calls.ts";

type Parsed = { record: string[]; raw: string; info: { lines: number } };

/** CSV with a header (RFC 4180), in UTF-8, of which `mapping` says what its columns are. */
export function readCsv(mapping: CsvMapping): ReadCalls {
  return async function* (bytes) {
    const parser = parse({
      bom: true,
      info: true,
      raw: true,
      relax_column_count: true,
      skip_empty_lines: true,
      max_record_size: MAX_LINE_BYTES,
    });
    // A failure of the bytes is thrown below, where they are read.
    const piped = pipeline(Readable.from(bytes), parser).catch(() => {});
    let shape: ReturnType<typeof csvShape> | null = null;
    try {
      for await (const { record, raw, info } of parser as AsyncIterable<Parsed>) {
        if (shape === null) {
          shape = csvShape(record, mapping);
          continue;
        }
        const shaped = shape(record);
        const input = raw.replace(/\r?\n$/, "");
        const result =
          "error" in shaped
            ? { line: info.lines, field: shaped.field, value: shaped.value, reason: shaped.error, input }
            : callFrom(shaped.value, { line: info.lines, input });
        yield { number: info.lines, characters: raw.length, result };
      }
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      throw new OperatorError(`This is no CSV that can be read: ${error.message}.`, { cause: error });
    } finally {
      parser.destroy();
      await piped;
    }
    if (shape === null) throw new OperatorError("The CSV is empty: it has not even a header.");
  };
}
