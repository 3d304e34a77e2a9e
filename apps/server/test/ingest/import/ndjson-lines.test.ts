import { describe, expect, it } from "vitest";
import { MAX_LINE_BYTES, type NdjsonLine, ndjsonLines } from "../../../src/ingest/import/ndjson-lines.ts";
import { chunksOf, collect } from "./inputs.ts";

async function lines(content: string | Buffer, chunkBytes = 65_536): Promise<NdjsonLine[]> {
  async function* stream() {
    yield* chunksOf(Buffer.from(content), chunkBytes);
  }
  return collect(ndjsonLines(stream()));
}

describe("lines of a stream", () => {
  it.each([1, 2, 3, 5, 7, 64])(
    "are the same however the stream is cut, here by %i bytes",
    async (chunkBytes) => {
      expect(await lines('\uFEFF{"a":1}\r\n\n  \t\r\n{"ü":"😀"}\nlast', chunkBytes)).toEqual([
        { number: 1, text: '{"a":1}' },
        { number: 4, text: '{"ü":"😀"}' },
        { number: 5, text: "last" },
      ]);
    },
  );

  it("end with or without a last line ending", async () => {
    expect(await lines("a\nb")).toEqual(await lines("a\nb\n"));
    expect(await lines("")).toEqual([]);
    expect(await lines("\n\n")).toEqual([]);
    expect(await lines("\uFEFF")).toEqual([]);
  });

  it("have a byte order mark only at the very beginning", async () => {
    expect(await lines("a\n\uFEFFb")).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: "\uFEFFb" },
    ]);
  });

  it.each([11, 65_536])(
    "may be a mebibyte long; of a longer one the rest is skipped, by chunks of %i",
    async (chunkBytes) => {
      const full = "x".repeat(MAX_LINE_BYTES);
      const read = await lines(`\uFEFF${full}\r\n${full}y\n${full.repeat(3)}\nnext\n${full}`, chunkBytes);
      expect(read).toEqual([
        { number: 1, text: full },
        { number: 2, error: "The line is longer than 1 MiB.", start: "x".repeat(200) },
        { number: 3, error: "The line is longer than 1 MiB.", start: "x".repeat(200) },
        { number: 4, text: "next" },
        { number: 5, text: full },
      ]);
    },
  );

  it("that are not UTF-8 are told apart from their neighbours", async () => {
    const content = Buffer.concat([
      Buffer.from("a\n"),
      Buffer.from([0x7b, 0xff, 0xfe]),
      Buffer.from("\nb\n"),
      Buffer.from([0xc3]),
    ]);
    expect(await lines(content)).toEqual([
      { number: 1, text: "a" },
      { number: 2, error: "The line is not valid UTF-8.", start: "{\\xff\\xfe" },
      { number: 3, text: "b" },
      { number: 4, error: "The line is not valid UTF-8.", start: "\\xc3" },
    ]);
  });

  it("fail as their stream does, after every whole line", async () => {
    async function* broken() {
      yield Buffer.from("a\nb\nhalf");
      throw new Error("unplugged");
    }
    const read: NdjsonLine[] = [];
    const reading = (async () => {
      for await (const line of ndjsonLines(broken())) read.push(line);
    })();
    await expect(reading).rejects.toThrow("unplugged");
    expect(read).toEqual([
      { number: 1, text: "a" },
      { number: 2, text: "b" },
    ]);
  });
});
