import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { type ImportProgress } from "../../../src/ingest/import/import-calls.ts";
import { noCounts } from "../../../src/ingest/import/import-counts.ts";
import { showProgress } from "../../../src/ingest/import/import-progress.ts";
import { duration, summaryLine } from "../../../src/ingest/import/import-summary.ts";

function display({ isTTY = false, quiet = false } = {}) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  let text = "";
  let now = 0;
  stream.on("data", (piece: Buffer) => (text += piece.toString()));
  const shown = showProgress({ stream, quiet, elapsed: () => now });
  return {
    at(ms: number, read: number, bytes: [number, number | null] = [0, null], rejected = 0) {
      now = ms;
      const progress: ImportProgress = {
        counts: { ...noCounts(), read, rejected },
        bytesRead: bytes[0],
        totalBytes: bytes[1],
      };
      shown.update(progress);
    },
    async finish() {
      shown.stop();
      await new Promise((resolve) => setTimeout(resolve, 10));
      return text;
    },
  };
}

describe("progress", () => {
  it("is a line every five seconds where nobody watches", async () => {
    const { at, finish } = display();
    at(10, 1_000, [100, 1_000]);
    at(4_999, 50_000, [200, 1_000]);
    at(5_000, 50_000, [250, 1_000]);
    at(9_000, 90_000, [500, 1_000]);
    at(10_000, 100_000, [999, 1_000], 12);
    expect(await finish()).toBe(
      "25 % | 50,000 calls | 10,000 calls/s | 15 s left\n99 % | 100,000 calls | 10,000 calls/s | 12 rejected | 0.0 s left\n",
    );
  });

  it("tells no time left where the size is unknown", async () => {
    const { at, finish } = display();
    at(6_000, 6_000, [100, null]);
    expect(await finish()).toBe("6,000 calls | 1,000 calls/s\n");
  });

  it("is a bar on a terminal", async () => {
    const { at, finish } = display({ isTTY: true });
    at(1_000, 10_000, [500, 1_000]);
    expect(await finish()).toContain(
      "[===============               ] 50 % | 10,000 calls | 10,000 calls/s | 1.0 s left",
    );
  });

  it("is the numbers alone on a terminal where the size is unknown", async () => {
    const { at, finish } = display({ isTTY: true });
    at(1_000, 10_000);
    const text = await finish();
    expect(text).toContain("10,000 calls | 10,000 calls/s");
    expect(text).not.toMatch(/[=%]/);
  });

  it("is nothing where it is not wanted, or nothing happens", async () => {
    const { at, finish } = display({ isTTY: true, quiet: true });
    at(60_000, 10_000);
    expect(await finish()).toBe("");
    expect((await display({ isTTY: true }).finish()).replaceAll("\n", "")).toBe("");
  });
});

describe("summary", () => {
  it("is one line", () => {
    expect(
      summaryLine({ read: 19_366, added: 19_360, repeated: 4, corrected: 1, rejected: 1, line: 19_370 }, 712),
    ).toBe("read 19,366  added 19,360  repeated 4  corrected 1  rejected 1  in 0.7 s");
  });

  it.each([
    [0, "0.0 s"],
    [9_949, "9.9 s"],
    [9_950, "10 s"],
    [59_499, "59 s"],
    [59_500, "1 min 0 s"],
    [3_599_499, "59 min 59 s"],
    [9_061_000, "2 h 31 min"],
  ])("writes %i ms as %s", (ms, text) => {
    expect(duration(ms)).toBe(text);
  });
});
