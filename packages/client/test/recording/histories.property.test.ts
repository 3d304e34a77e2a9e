import fc from "fast-check";
import { expect, it } from "vitest";
import { createCallRecorder, type RecordedCall } from "../../src/index.ts";
import { identityOf, type Play, startFaultServer } from "./fault-server.ts";
import { recordedCall } from "./recorded-call.ts";

const RUNS = Number(process.env["LONG"] ?? 60);

/** A version of one of a few calls; `spoils` is a call for which the server refuses the whole request. */
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant("record"),
      id: fc.integer({ min: 1, max: 6 }).map(String),
      model: fc.oneof(
        { weight: 8, arbitrary: fc.constant("good") },
        { weight: 1, arbitrary: fc.constant("bad") },
        { weight: 1, arbitrary: fc.constant("spoils") },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("flush") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait"), ms: fc.integer({ min: 0, max: 8 }) }) },
);
const play = fc.constantFrom<Play>(
  "ok",
  "reset",
  "cut",
  "lost",
  "html",
  "partial",
  { status: 503, headers: { "retry-after": "0" } },
  { status: 429 },
  { status: 401 },
);

it("ends with the last version of each call, whatever happens on the way, unless a callback was told otherwise", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 60 }),
      fc.array(play, { maxLength: 25 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 4, max: 40 }),
      async (steps, plays, maxBatch, maxBufferedCalls) => {
        const server = await startFaultServer();
        server.plays = [...plays];
        server.refuse = (calls) => (calls.some(({ model }) => model === "spoils") ? { status: 400 } : null);
        // The versions of each call that were taken, oldest first, without those a callback gave back.
        const taken: RecordedCall[] = [];
        const giveBack = (call: RecordedCall) => taken.splice(taken.indexOf(call), 1);
        let refusals = 0;
        const recorder = createCallRecorder({
          url: server.url,
          token: "a key",
          maxBatch,
          maxBufferedCalls,
          flushMs: 3,
          retryMs: 1,
          longestRetryMs: 3,
          onRefused: () => (refusals += 1),
          onRejected: giveBack,
        });
        let version = 0;
        try {
          for (const next of steps) {
            if (next.kind === "flush") await recorder.flush();
            if ("ms" in next) await new Promise((resolve) => setTimeout(resolve, next.ms));
            if (!("model" in next)) continue;
            const call = recordedCall({ id: next.id, model: next.model, credits: String((version += 1)) });
            const before = refusals;
            taken.push(call);
            if (recorder.record(call)) expect(refusals).toBe(before);
            else giveBack(call);
          }
          expect(await recorder.close({ timeoutMs: 20_000 })).toEqual({ unsent: 0 });
        } finally {
          await server.close();
        }
        const last = new Map(
          taken.map((call) => [identityOf(call as never), "credits" in call ? call.credits : null]),
        );
        expect(new Map([...server.store].map(([key, call]) => [key, call["credits"]]))).toEqual(last);
        expect(server.mostAtOnce).toBeLessThanOrEqual(1);
        // Every request holds calls in the order in which they were recorded.
        for (const { calls } of server.requests) {
          const versions = calls.map((call) => Number(call["credits"]));
          expect(versions).toEqual(versions.toSorted((one, other) => one - other));
        }
      },
    ),
    { numRuns: RUNS },
  );
}, 120_000);
