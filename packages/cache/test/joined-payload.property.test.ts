import { gunzipSync } from "node:zlib";
import { type Payload } from "@usage-stats/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createPayload } from "../src/compress.ts";
import { joinPayloads } from "../src/joined-payload.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const payloadOf = (value: unknown): Promise<Payload> =>
  createPayload(encode(JSON.stringify(value)), ["gzip"]);

/** What is short is kept plain, and what is long in gzip. */
const value = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.integer({ min: 1, max: 40_000 }).map((n) => "é".repeat(n)),
  fc.array(fc.record({ calls: fc.nat(), credits: fc.double({ noNaN: true }) }), {
    minLength: 60,
    maxLength: 300,
  }),
);

it("joins texts, plain and in gzip, to the list of their values", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(value, { minLength: 1, maxLength: 10 }), async (values) => {
      const joined = joinPayloads(await Promise.all(values.map(payloadOf)));
      const text = Buffer.from(joined.plain()).toString();
      expect(text).toBe(`[${values.map((each) => JSON.stringify(each)).join(",")}]`);
      expect(joined.length).toBe(Buffer.byteLength(text));
      expect(gunzipSync(joined.gzip!()).toString()).toBe(text);
    }),
    { numRuns: 60 },
  );
}, 60_000);

describe("a joined payload", () => {
  const long = Array.from({ length: 500 }, (_, i) => i);

  it("has a digest of its own for other texts, and for the same in another order", async () => {
    const [one, other, both] = await Promise.all([payloadOf([1]), payloadOf([2]), payloadOf([[1], [2]])]);
    const lists = [[one], [other], [one, other], [other, one], [one, one], [both]];
    expect(new Set(lists.map((list) => joinPayloads(list).digest)).size).toBe(lists.length);
    expect(joinPayloads([one, other]).digest).toBe(joinPayloads([{ ...one }, { ...other }]).digest);
    expect(joinPayloads([{ bytes: one.bytes }]).digest).toBe(joinPayloads([one]).digest);
  });

  it("is plain alone where one of its texts is not kept compressed yet", async () => {
    const joined = joinPayloads([await payloadOf(long), { bytes: encode(JSON.stringify(long)) }]);
    expect(joined.gzip).toBeNull();
    expect(JSON.parse(Buffer.from(joined.plain()).toString())).toEqual([long, long]);
  });

  it("is plain alone where a gzip is not one of ours", async () => {
    const { bytes, encoded } = await payloadOf(long);
    for (const at of [0, 3, encoded!.gzip!.length - 9, encoded!.gzip!.length - 11]) {
      const gzip = encoded!.gzip!.slice();
      gzip[at]! ^= 0xff;
      expect(joinPayloads([{ bytes, encoded: { gzip } }]).gzip).toBeNull();
    }
  });
});
