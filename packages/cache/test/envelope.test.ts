import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openEnvelope, sealEnvelope } from "../src/envelope.ts";

const envelope = { key: "key", generation: "g1", expiresAt: 1_700_000_000_000, text: '{"calls":1}' };
const long = { ...envelope, text: "é\n".repeat(40_000) };

describe("an envelope", () => {
  it.each([
    ["plain", envelope],
    ["packed", long],
    ["empty", { ...envelope, text: "" }],
  ])("gives back what was put in: %s", async (_, sealed) => {
    const text = await sealEnvelope(sealed, 1_000);
    expect(await openEnvelope(text, "key", "g1")).toEqual({
      state: "valid",
      text: sealed.text,
      expiresAt: sealed.expiresAt,
    });
  });

  it("is packed when it is long", async () => {
    expect((await sealEnvelope(long, 1_000)).length).toBeLessThan(2_000);
    expect((await sealEnvelope(long, 1_000_000)).length).toBeGreaterThan(80_000);
  });

  it("is outdated in another generation", async () => {
    expect(await openEnvelope(await sealEnvelope(envelope, 1_000), "key", "g2")).toEqual({
      state: "outdated",
    });
  });

  it("of another key is unreadable", async () => {
    expect(await openEnvelope(await sealEnvelope(envelope, 1_000), "other", "g1")).toMatchObject({
      state: "unreadable",
      why: "another key's value",
    });
  });

  it.each([
    ["plain", envelope],
    ["packed", long],
  ])("cut off anywhere is unreadable: %s", async (_, sealed) => {
    const text = await sealEnvelope(sealed, 1_000);
    const states = Array.from({ length: text.length }, (__, end) =>
      openEnvelope(text.slice(0, end), "key", "g1"),
    );
    for (const opened of await Promise.all(states)) expect(opened.state).toBe("unreadable");
  });

  it.each([
    ["a number", 7],
    ["nothing", undefined],
    ["a list", ["key", "g1"]],
    ["an object", { key: "key" }],
    ["an empty text", ""],
    ["an answer without a header", '{"calls":1}'],
    ["a header of an older version", '["key","g1"]\n{"calls":1}'],
    ["a header of other types", '["key","g1","soon","plain",11]\n{"calls":1}'],
    ["an unknown packing", '["key","g1",1,"zstd",11]\n{"calls":1}'],
    ["more than was written", '["key","g1",1,"plain",2]\n{"calls":1}'],
    ["what is not packed", '["key","g1",1,"gzip",11]\n{"calls":1}'],
  ])("is unreadable where there is %s", async (_, found) => {
    expect((await openEnvelope(found, "key", "g1")).state).toBe("unreadable");
  });

  it("that would unpack to more than fits is unreadable", async () => {
    const bomb = gzipSync(Buffer.alloc(65_000_000)).toString("base64");
    expect(await openEnvelope(`["key","g1",1,"gzip",${bomb.length}]\n${bomb}`, "key", "g1")).toMatchObject({
      state: "unreadable",
    });
  });
});
