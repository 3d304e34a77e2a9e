import { UsageStatsError } from "@usage-stats/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTraces, type TracesRead } from "../../src/index.ts";
import { traceRequestMessage } from "../../src/otlp/messages.ts";

const RUNS = Number(process.env["LONG"] ?? 2_000);

/** What was read, or `null` where it was refused; any other error is a fault of ours. */
function expectReadOrRefused(body: Uint8Array, format: "json" | "protobuf"): TracesRead | null {
  try {
    return readTraces(body, format);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageStatsError);
    return null;
  }
}

const VALID = traceRequestMessage
  .encode(
    traceRequestMessage.fromObject({
      resourceSpans: [
        {
          resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }] },
          scopeSpans: [
            {
              spans: Array.from({ length: 3 }, (_, index) => ({
                traceId: Buffer.alloc(16, 1),
                spanId: Buffer.alloc(8, index + 1),
                kind: 3,
                startTimeUnixNano: "1750413600000000000",
                attributes: [
                  { key: "gen_ai.operation.name", value: { stringValue: "chat" } },
                  { key: "gen_ai.usage.input_tokens", value: { intValue: "12" } },
                  { key: "gen_ai.response.time_to_first_chunk", value: { doubleValue: 0.5 } },
                ],
              })),
            },
          ],
        },
      ],
    }),
  )
  .finish();

describe("a request that is damaged", () => {
  it("is read whole when it is not", () => {
    expect(expectReadOrRefused(VALID, "protobuf")).toMatchObject({
      calls: [{ inputTokens: 12, ttfbMs: 500, appDid: "shop" }, {}, {}],
      faults: [],
      ignored: 0,
    });
  });

  it("is read or refused, wherever a protobuf breaks off or a byte is wrong", () => {
    for (let end = 0; end < VALID.length; end += 1) expectReadOrRefused(VALID.slice(0, end), "protobuf");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(VALID.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (changes) => {
          const damaged = VALID.slice();
          for (const [at, byte] of changes) damaged[at] = byte;
          expectReadOrRefused(damaged, "protobuf");
        },
      ),
      { numRuns: RUNS },
    );
  });

  it("is read or refused, whatever the bytes or the JSON are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expectReadOrRefused(bytes, "protobuf");
        expectReadOrRefused(bytes, "json");
      }),
      { numRuns: RUNS },
    );
    const key = fc.constantFrom(
      "resourceSpans",
      "resource",
      "scopeSpans",
      "spans",
      "attributes",
      "key",
      "value",
      "__proto__",
      "traceId",
      "startTimeUnixNano",
      "status",
      "code",
      "intValue",
      "doubleValue",
      "kind",
    );
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 9 },
        fc.constantFrom<unknown>(null, 3, -1, 1e300, "gen_ai.operation.name", "chat", true),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => {
        expectReadOrRefused(new TextEncoder().encode(JSON.stringify(value)), "json");
        expect(Object.keys(Object.prototype)).toEqual([]);
      }),
      { numRuns: RUNS },
    );
  });
});
