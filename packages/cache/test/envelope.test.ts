import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type ContentCoding } from "@usage-stats/core";
import { createPayload } from "../src/compress.ts";
import { plainEnvelopes, textEnvelopes } from "../src/envelope.ts";
import { type Envelope, type EnvelopeFormat, Unreadable } from "../src/text-envelope.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const holding = (text: string): Envelope => ({
  key: "key",
  generation: "g1",
  expiresAt: 1_700_000_000_000,
  payload: { bytes: encode(text) },
});
const envelope = holding('{"calls":1}');
const long = holding("é\n".repeat(40_000));
const textOf = ({ payload }: Envelope) => Buffer.from(payload.bytes).toString();
const asText = textEnvelopes({ packOver: 1_000, maxLength: 100_000 });
const inProcess = plainEnvelopes({ maxBytes: 200_000 });

async function isUnreadable(format: EnvelopeFormat, found: unknown): Promise<boolean> {
  try {
    await format.decode(found);
    return false;
  } catch (error) {
    expect(error).toBeInstanceOf(Unreadable);
    return true;
  }
}

describe.each([
  ["as a text", asText],
  ["in the process", inProcess],
])("an envelope %s", (_, format) => {
  it.each([
    ["short", envelope],
    ["long", long],
    ["empty", holding("")],
  ])("gives back what was put in: %s", async (__, encoded) => {
    const opened = await format.decode(await format.encode(encoded));
    expect({ ...opened, payload: textOf(opened) }).toEqual({ ...encoded, payload: textOf(encoded) });
  });

  it("is not made of what is too large", async () => {
    const noise = Array.from({ length: 40_000 }, (__, i) => Math.sin(i)).join();
    expect(await format.encode(holding(noise))).toBeNull();
  });

  it.each([
    ["a number", 7],
    ["undefined", undefined],
    ["a list", ["key", "g1"]],
    ["an object", { key: "key" }],
    ["an empty text", ""],
    ["an answer without a header", '{"calls":1}'],
    ["a header of an older version", '["key","g1"]\n{"calls":1}'],
    ["a header without a digest", '["key","g1",1,"plain",11]\n{"calls":1}'],
    ["a header of other types", '["key","g1","soon","plain",11,"RsRfRMthv4T005UiZZbnvY"]\n{"calls":1}'],
    ["an unknown packing", '["key","g1",1,"zstd",11,"RsRfRMthv4T005UiZZbnvY"]\n{"calls":1}'],
    ["more than was written", '["key","g1",1,"plain",2,"RsRfRMthv4T005UiZZbnvY"]\n{"calls":1}'],
    ["another text's digest", '["key","g1",1,"plain",11,"RsRfRMthv4T005UiZZbnvY"]\n{"calls":2}'],
    ["a plain text without a digest", '["key","g1",1,"plain",11,null]\n{"calls":1}'],
    ["what is not packed", '["key","g1",1,"gzip",11,null]\n{"calls":1}'],
  ])("is unreadable where there is %s", async (__, found) => {
    expect(await isUnreadable(format, found)).toBe(true);
  });
});

describe("an envelope as a text", () => {
  it("is packed when it is long", async () => {
    expect(((await asText.encode(long)) as string).length).toBeLessThan(2_000);
    const unpacked = textEnvelopes({ packOver: 1_000_000, maxLength: 1_000_000 });
    expect(((await unpacked.encode(long)) as string).length).toBeGreaterThan(80_000);
  });

  it.each([
    ["plain", envelope],
    ["packed", long],
  ])("cut off anywhere is unreadable: %s", async (_, encoded) => {
    const text = (await asText.encode(encoded)) as string;
    const all = Array.from({ length: text.length }, (__, end) => isUnreadable(asText, text.slice(0, end)));
    expect(new Set(await Promise.all(all))).toEqual(new Set([true]));
  });

  it("that would unpack to more than fits is unreadable", async () => {
    const bomb = gzipSync(Buffer.alloc(65_000_000)).toString("base64");
    expect(await isUnreadable(asText, `["key","g1",1,"gzip",${bomb.length},null]\n${bomb}`)).toBe(true);
  });
});

describe("an envelope of an answer", () => {
  const text = JSON.stringify(Array.from({ length: 300 }, (_, i) => ({ calls: i })));
  const answer = async (codings: ContentCoding[]): Promise<Envelope> => ({
    ...envelope,
    payload: await createPayload(encode(text), codings),
  });

  it("as a text holds what is sent, and gives that back with the plain text and its digest", async () => {
    const sent = await answer(["gzip"]);
    const kept = (await asText.encode(sent)) as string;
    expect(kept.length).toBeLessThan(text.length / 3);
    const { payload } = await asText.decode(kept);
    expect(payload).toEqual({ ...sent.payload, bytes: Buffer.from(sent.payload.bytes) });
    expect(gunzipSync(payload.encoded!.gzip!).toString()).toBe(text);
  });

  it.each([
    ["plain", "x".repeat(200)],
    ["packed", text],
  ])("with any one character changed is unreadable, or says the same: %s", async (_, changed) => {
    const sent = { ...envelope, payload: await createPayload(encode(changed), ["gzip"]) };
    const kept = (await asText.encode(sent)) as string;
    for (let at = 0; at < kept.length; at += 1) {
      const flipped = kept.slice(0, at) + String.fromCharCode(kept.charCodeAt(at) ^ 1) + kept.slice(at + 1);
      const read = await Promise.resolve(asText.decode(flipped)).catch((error: unknown) => error);
      if (read instanceof Unreadable) continue;
      const { payload } = read as Envelope;
      expect(Buffer.from(payload.bytes).toString()).toBe(changed);
      if (payload.encoded?.gzip !== undefined)
        expect(gunzipSync(payload.encoded.gzip).toString()).toBe(changed);
    }
  });
});

// Servers of two versions share a Redis while they are replaced.
it.each([
  ["plain", '["key","g1",1,"plain",1,"Nnfvd7FXTRYtfC3GbcworW"]\n文', "文"],
  ["packed", '["key","g1",1,"gzip",32,null]\nH4sIAAAAAAAEA0tMpD0AAGR6cK9kAAAA', "a".repeat(100)],
])("a text that a server before has written is read: %s", async (_, text, payload) => {
  const read = await asText.decode(text);
  expect({ ...read, payload: textOf(read) }).toEqual({
    key: "key",
    generation: "g1",
    expiresAt: 1,
    payload,
  });
});
