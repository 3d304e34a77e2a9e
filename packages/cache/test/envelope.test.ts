import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type EnvelopeFormat, plainEnvelopes, textEnvelopes } from "../src/envelope.ts";
import { Unreadable } from "../src/text-envelope.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const envelope = { key: "key", generation: "g1", expiresAt: 1_700_000_000_000, bytes: encode('{"calls":1}') };
const long = { ...envelope, bytes: encode("é\n".repeat(40_000)) };
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
    ["empty", { ...envelope, bytes: encode("") }],
  ])("gives back what was put in: %s", async (__, encoded) => {
    const opened = await format.decode(await format.encode(encoded));
    expect({ ...opened, bytes: Buffer.from(opened.bytes).toString() }).toEqual({
      ...encoded,
      bytes: Buffer.from(encoded.bytes).toString(),
    });
  });

  it("is not made of what is too large", async () => {
    const noise = Array.from({ length: 40_000 }, (__, i) => Math.sin(i)).join();
    expect(await format.encode({ ...envelope, bytes: encode(noise) })).toBeNull();
  });

  it.each([
    ["a number", 7],
    ["undefined", undefined],
    ["a list", ["key", "g1"]],
    ["an object", { key: "key" }],
    ["an empty text", ""],
    ["an answer without a header", '{"calls":1}'],
    ["a header of an older version", '["key","g1"]\n{"calls":1}'],
    ["a header of other types", '["key","g1","soon","plain",11]\n{"calls":1}'],
    ["an unknown packing", '["key","g1",1,"zstd",11]\n{"calls":1}'],
    ["more than was written", '["key","g1",1,"plain",2]\n{"calls":1}'],
    ["what is not packed", '["key","g1",1,"gzip",11]\n{"calls":1}'],
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
    expect(await isUnreadable(asText, `["key","g1",1,"gzip",${bomb.length}]\n${bomb}`)).toBe(true);
  });
});

// Servers of two versions share a Redis while they are replaced.
it.each([
  ["plain", '["key","g1",1,"plain",1]\n文', "文"],
  ["packed", '["key","g1",1,"gzip",32]\nH4sIAAAAAAAEA0tMpD0AAGR6cK9kAAAA', "a".repeat(100)],
])("a text that a server before has written is read: %s", async (_, text, payload) => {
  const { bytes, ...rest } = await asText.decode(text);
  expect({ ...rest, payload: new TextDecoder().decode(bytes) }).toEqual({
    key: "key",
    generation: "g1",
    expiresAt: 1,
    payload,
  });
});
