import { PassThrough, Readable } from "node:stream";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type CallWriter, UsageStatsError } from "@usage-stats/core";
import { importCalls, type ImportOptions } from "../../../src/ingest/import/import-calls.ts";
import { type Reject } from "../../../src/ingest/import/import-counts.ts";
import { ImportFailure } from "../../../src/ingest/import/import-failure.ts";
import { openInput } from "../../../src/ingest/import/open-input.ts";
import { callLine, inputOf } from "./inputs.ts";
import { memoryRecorder } from "./memory-recorder.ts";

async function importing(lines: (string | Buffer)[], options: Partial<ImportOptions> = {}) {
  const memory = memoryRecorder();
  const rejects: Reject[] = [];
  const content = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from("\n")]));
  const run = importCalls({
    input: await inputOf(content),
    callWriter: memory.callWriter,
    onError: "stop",
    onReject: (reject) => void rejects.push(reject),
    ...options,
  });
  return { ...memory, rejects, run };
}

const numbers = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i);

async function failureOf(run: Promise<unknown>): Promise<ImportFailure> {
  const failure = await run.catch((error: unknown) => error);
  if (!(failure instanceof ImportFailure)) throw new Error("It did not fail.", { cause: failure });
  return failure;
}

describe("an import", () => {
  it("records every call, batch by batch", async () => {
    const { run, calls, batches } = await importing(numbers(2_500).map((i) => callLine(i)));
    expect(await run).toEqual({
      read: 2_500,
      added: 2_500,
      repeated: 0,
      corrected: 0,
      rejected: 0,
      line: 2_500,
      interrupted: false,
      stoppedAt: null,
    });
    expect(batches).toEqual([1_000, 1_000, 500]);
    expect(calls.size).toBe(2_500);
  });

  it("takes nothing for nothing", async () => {
    const { run, batches } = await importing(["", "  ", ""]);
    expect(await run).toMatchObject({ read: 0, line: 0, interrupted: false, stoppedAt: null });
    expect(batches).toEqual([]);
  });

  it("tells added, repeated and corrected calls apart, and lets the later line win, across batches", async () => {
    const first = callLine(1, { status: "processing" });
    const { run, calls } = await importing(
      [first, callLine(2), first, callLine(1), first, callLine(1, { credits: "9" })],
      { batchSize: 2 },
    );
    expect(await run).toMatchObject({ read: 6, added: 2, repeated: 1, corrected: 3, rejected: 0 });
    expect([...calls.values()].map(({ id, credits }) => [id, credits])).toEqual([
      ["call-1", "9"],
      ["call-2", "0.00012345"],
    ]);
  });

  it("reads the next batch while one is written, and no further", async () => {
    let finish = () => {};
    const seen: string[] = [];
    const callWriter: CallWriter = {
      async record(calls) {
        seen.push(`write ${calls[0]!.id}`);
        await new Promise<void>((resolve) => (finish = resolve));
        return calls.map(() => "added" as const);
      },
    };
    const lines = numbers(60).flatMap((i) => [callLine(i), `bad ${i}`]);
    const { run } = await importing(lines, {
      callWriter,
      onError: "skip",
      batchSize: 20,
      onReject: ({ line }) => void seen.push(`read ${line}`),
    });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(seen.filter((event) => event.startsWith("write"))).toEqual(["write call-0"]);
    expect(seen.at(-1)).toBe("read 40");
    const timer = setInterval(() => finish(), 1);
    expect(await run).toMatchObject({ added: 60, rejected: 60 });
    clearInterval(timer);
  });

  it("tells how far it is after every batch", async () => {
    const seen: [number, number, number | null][] = [];
    const { run } = await importing(
      numbers(25).map((i) => callLine(i)),
      {
        batchSize: 10,
        onProgress: ({ counts, bytesRead, totalBytes }) =>
          void seen.push([counts.read, bytesRead > 0 ? 1 : 0, totalBytes]),
      },
    );
    await run;
    expect(seen).toEqual([
      [10, 1, null],
      [20, 1, null],
      [25, 1, null],
    ]);
  });
});

describe("a line that is no call", () => {
  it("stops the import after everything before it is in", async () => {
    const { run, calls, rejects } = await importing([
      callLine(0),
      "",
      callLine(1),
      callLine(2, { credits: "0.123456789" }),
      callLine(3),
    ]);
    const expected = {
      line: 4,
      field: "credits",
      value: '"0.123456789"',
      reason: "credits must have at most 8 decimals; round it before sending it.",
      input: callLine(2, { credits: "0.123456789" }),
    };
    expect(await run).toEqual({
      read: 3,
      added: 2,
      repeated: 0,
      corrected: 0,
      rejected: 1,
      line: 4,
      interrupted: false,
      stoppedAt: expected,
    });
    expect(rejects).toEqual([expected]);
    expect(calls.size).toBe(2);
  });

  it("is skipped where that is asked for", async () => {
    const lines = [
      callLine(0),
      "{",
      "[1]",
      callLine(1, { model: undefined }),
      callLine(2, { traceId: "t".repeat(300) }),
      callLine(3, { metadata: [1] }),
      Buffer.from([0xff]),
      callLine(4),
    ];
    const { run, rejects } = await importing(lines, { onError: "skip" });
    expect(await run).toMatchObject({ read: 8, added: 2, rejected: 6, line: 8, stoppedAt: null });
    expect(rejects.map(({ line, field, value, reason }) => [line, field, value, reason])).toEqual([
      [2, "", undefined, expect.stringMatching(/^The line is not JSON: /)],
      [3, "", undefined, "A call must be a JSON object."],
      [4, "model", undefined, "model is missing."],
      [5, "traceId", `"${"t".repeat(99)}…`, "traceId must be text of at most 256 characters."],
      [6, "metadata", "[…]", "metadata must be a JSON object, or null."],
      [7, "", undefined, "The line is not valid UTF-8."],
    ]);
  });

  it("counts towards a batch, so that a file of nothing else is not held", async () => {
    const seen: number[] = [];
    const { run, batches } = await importing(numbers(25).map(String), {
      onError: "skip",
      batchSize: 10,
      onProgress: ({ counts }) => void seen.push(counts.rejected),
    });
    expect(await run).toMatchObject({ read: 25, rejected: 25, line: 25 });
    expect(seen).toEqual([10, 20, 25]);
    expect(batches).toEqual([]);
  });

  it("fails the import where it cannot be kept", async () => {
    const failure = await failureOf(
      (
        await importing([callLine(0), "bad", callLine(1)], {
          onError: "skip",
          onReject: () => Promise.reject(new Error("disk full")),
        })
      ).run,
    );
    expect(failure.message).toMatch(/disk full/);
    expect(failure.counts).toMatchObject({ added: 1, line: 2 });
  });
});

describe("an interrupted import", () => {
  it("writes what it has read and says how far it got", async () => {
    const interruption = new AbortController();
    const { run, calls } = await importing(
      numbers(5_000).map((i) => callLine(i)),
      {
        batchSize: 100,
        signal: interruption.signal,
        onProgress: ({ counts }) => counts.read === 300 && interruption.abort(),
      },
    );
    const result = await run;
    expect(result.interrupted).toBe(true);
    expect(result.line).toBeGreaterThanOrEqual(300);
    expect(result.line).toBeLessThanOrEqual(500);
    expect(calls.size).toBe(result.line);
    expect(result.added).toBe(result.line);
  });

  it("does not wait for the next line of a quiet pipe", async () => {
    const pipe = new PassThrough();
    pipe.write(`${callLine(0)}\n${callLine(1)}\n{"half`);
    const interruption = new AbortController();
    setTimeout(() => interruption.abort(), 20);
    const { run } = await importing([], { input: await openInput("-", pipe), signal: interruption.signal });
    expect(await run).toMatchObject({ added: 2, rejected: 0, line: 2, interrupted: true, stoppedAt: null });
  });

  it("may have been interrupted before it began", async () => {
    const { run } = await importing([], {
      input: await openInput("-", new PassThrough()),
      signal: AbortSignal.abort(),
    });
    expect(await run).toMatchObject({ read: 0, interrupted: true });
  });
});

describe("a failure", () => {
  it("of the database says which lines are in, and keeps the cause", async () => {
    const cause = new UsageStatsError(
      "unavailable",
      "The database cannot answer at the moment. Try again shortly.",
    );
    const memory = memoryRecorder();
    const callWriter: CallWriter = {
      record: async (calls) =>
        memory.batches.length === 2 ? Promise.reject(cause) : memory.callWriter.record(calls),
    };
    const failure = await failureOf(
      (
        await importing(
          numbers(5_000).map((i) => callLine(i)),
          { callWriter },
        )
      ).run,
    );
    expect(failure.counts).toMatchObject({ read: 2_000, added: 2_000, line: 2_000 });
    expect(failure.cause).toBe(cause);
    expect(failure.message).toBe(
      "The database cannot answer at the moment. Try again shortly.\nEverything up to line 2,000 is in. Import the same again to go on: no call is counted twice.",
    );
    expect(memory.calls.size).toBe(2_000);
  });

  it("of the database ends an import whose input is quiet", async () => {
    const pipe = new PassThrough();
    pipe.write(`${callLine(0)}\n${callLine(1)}\n`);
    const failure = await failureOf(
      (
        await importing([], {
          input: await openInput("-", pipe),
          batchSize: 1,
          callWriter: { record: () => Promise.reject(new Error("x".repeat(2_000))) },
        })
      ).run,
    );
    expect(failure.message).toMatch(/^The import failed: Error: x+…\nNothing was imported\.$/);
    expect(failure.message.length).toBeLessThan(600);
  });

  it("of the input comes after everything before it is in", async () => {
    const packed = gzipSync(
      numbers(3_000)
        .map((i) => `${callLine(i)}\n`)
        .join(""),
    );
    const { run, calls } = await importing([], { input: await inputOf(packed.subarray(0, -5_000)) });
    const failure = await failureOf(run);
    expect(failure.message).toMatch(
      /^The gzip data of standard input ends in the middle.*\nEverything up to line [\d,]+ is in\./,
    );
    expect(calls.size).toBe(failure.counts.line);
    expect(calls.size).toBeGreaterThan(1_000);
  });
});

describe("memory", () => {
  it("stays flat over 200,000 lines", { timeout: 60_000 }, async () => {
    function* chunks() {
      for (let i = 0; i < 200_000; i += 100)
        yield Buffer.from(
          numbers(100, i)
            .map((n) => `${callLine(n)}\n`)
            .join(""),
        );
    }
    const heaps: number[] = [];
    let bytes = 0;
    const callWriter: CallWriter = {
      async record(calls) {
        await new Promise((resolve) => setImmediate(resolve));
        bytes += JSON.stringify(calls).length;
        return calls.map(() => "added" as const);
      },
    };
    const { run } = await importing([], {
      input: await openInput("-", Readable.from(chunks(), { objectMode: false })),
      callWriter,
      onProgress: ({ counts }) => {
        if (counts.read % 20_000 === 0) heaps.push(heapAfterCollection());
      },
    });
    expect(await run).toMatchObject({ added: 200_000 });
    expect(bytes).toBeGreaterThan(50_000_000);
    expect(heaps).toHaveLength(10);
    expect(Math.max(...heaps) - heaps[0]!).toBeLessThan(8_000_000);
  });
});

function heapAfterCollection(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}
