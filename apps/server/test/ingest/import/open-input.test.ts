import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Input, openInput } from "../../../src/ingest/import/open-input.ts";
import { callLine, collect, inputOf } from "./inputs.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-stats-import-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

async function contentOf(input: Input): Promise<string> {
  return Buffer.concat(await collect(input.bytes)).toString();
}

const noInput = Readable.from([]);
const text = Array.from({ length: 5_000 }, (_, i) => `${callLine(i)}\n`).join("");

describe("an input", () => {
  it("is a file, of a known size", async () => {
    const input = await openInput(await fileOf("plain.ndjson", text), noInput);
    expect(input.totalBytes).toBe(text.length);
    expect(await contentOf(input)).toBe(text);
    expect(input.bytesRead()).toBe(text.length);
  });

  it("is standard input, of an unknown size", async () => {
    const input = await inputOf(text);
    expect(input).toMatchObject({ name: "standard input", totalBytes: null });
    expect(await contentOf(input)).toBe(text);
  });

  it("may be empty, or a single byte", async () => {
    expect(await contentOf(await inputOf(""))).toBe("");
    expect(await contentOf(await inputOf("x"))).toBe("x");
    expect(await contentOf(await openInput(await fileOf("empty", ""), noInput))).toBe("");
  });

  it("is unpacked where it is gzip, whatever its name", async () => {
    const packed = gzipSync(text);
    const input = await openInput(await fileOf("packed.txt", packed), noInput);
    expect(await contentOf(input)).toBe(text);
    expect(input.bytesRead()).toBe(packed.length);
    expect(input.totalBytes).toBe(packed.length);
  });

  it.each([1, 7, 16_384, 1_000_000])(
    "is unpacked by chunks of %i bytes, several gzip files in a row too",
    async (chunkBytes) => {
      const packed = Buffer.concat([
        gzipSync(text.slice(0, 100_000)),
        gzipSync(""),
        gzipSync(text.slice(100_000)),
      ]);
      expect(await contentOf(await inputOf(packed, chunkBytes))).toBe(text);
    },
  );

  it("unpacks what expands a thousandfold without holding it", async () => {
    // Packed in parts, so that what is measured below is not what was packed.
    const part = gzipSync(Buffer.alloc(1_000_000));
    const input = await inputOf(Buffer.concat(Array.from({ length: 300 }, () => part)));
    let total = 0;
    let most = 0;
    for await (const chunk of input.bytes) {
      total += chunk.length;
      most = Math.max(most, process.memoryUsage().arrayBuffers);
    }
    expect(total).toBe(300_000_000);
    expect(most).toBeLessThan(100_000_000);
  });

  it.each([1, 1_000, 20_000])(
    "gives everything before the place where gzip breaks off, %i bytes early",
    async (missing) => {
      const packed = gzipSync(text);
      const input = await openInput(
        await fileOf("truncated.gz", packed.subarray(0, packed.length - missing)),
        noInput,
      );
      let read = "";
      const reading = (async () => {
        for await (const chunk of input.bytes) read += Buffer.from(chunk).toString();
      })();
      await expect(reading).rejects.toThrow(/truncated\.gz ends in the middle/);
      expect(text.startsWith(read)).toBe(true);
      // Of deflate's last block, as much as its bytes hold.
      expect(read.length).toBeGreaterThan(text.length * (1 - (missing + 1_000) / packed.length));
    },
  );

  it("says that gzip is damaged", async () => {
    const packed = gzipSync(text);
    packed.fill(0x55, 20_000, 20_100);
    const path = await fileOf("damaged.gz", packed);
    await expect(contentOf(await openInput(path, noInput))).rejects.toThrow(/damaged\.gz is damaged/);
    await expect(contentOf(await inputOf(Buffer.from([0x1f, 0x8b])))).rejects.toThrow(
      /standard input ends in the middle/,
    );
    await expect(contentOf(await inputOf(Buffer.from([0x1f, 0x8b, 0, 0, 0])))).rejects.toThrow(
      /standard input is damaged/,
    );
  });

  it("says what is wrong with a path", async () => {
    await expect(openInput(join(folder, "missing"), noInput)).rejects.toThrow(
      /^There is no file .*missing\.$/,
    );
    await expect(openInput(folder, noInput)).rejects.toThrow(
      /is a directory\. Name a file of calls in it\.$/,
    );
    await expect(openInput(join(await fileOf("file", ""), "below"), noInput)).rejects.toThrow(
      /cannot be opened: .*ENOTDIR/,
    );
  });
});
