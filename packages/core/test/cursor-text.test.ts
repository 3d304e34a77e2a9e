import { describe, expect, it } from "vitest";
import { decodeCursor, encodeCursor, fingerprint } from "../src/cursor-text.ts";

describe("a fingerprint", () => {
  // https://www.rfc-editor.org/rfc/rfc9923, of 64 bits.
  it.each([
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
  ])("of %j is FNV-1a's", (text, expected) => {
    expect(fingerprint(text)).toBe(expected);
  });

  it("differs for each of many similar texts", () => {
    const texts = Array.from({ length: 50_000 }, (_, i) =>
      JSON.stringify(["calls", `did:abt:z1${i}`, i % 7]),
    );
    expect(new Set(texts.map(fingerprint)).size).toBe(texts.length);
  });
});

describe("a cursor", () => {
  it("is as short for a long scope as for a short one, and gives its place back", () => {
    const place = [1750377600000, "文心一言", "did:abt:z1alice"];
    const long = encodeCursor([Array.from({ length: 500 }, (_, i) => `a long name of an app ${i}`)], place);
    expect(long.length).toBe(encodeCursor([], place).length);
    expect(long.length).toBeLessThan(200);
    expect(decodeCursor(long)).toEqual(place);
    expect(long).toMatch(/^[\w-]+$/);
  });

  it("is the text that servers before gave out, so that a page can be turned while they are replaced", () => {
    const place = [1750377600000, "文心一言"];
    const cursor = "WzIsImVjMjVlMzM5N2RiNDA0Y2YiLDE3NTAzNzc2MDAwMDAsIuaWh-W_g-S4gOiogCJd";
    expect(encodeCursor(["calls", "did:abt:z1alice"], place)).toBe(cursor);
    expect(decodeCursor(cursor)).toEqual(place);
  });

  it.each(["", "x", "e30", "bnVsbA", "MQ", "💥", "/+==", "WzFd", "A".repeat(4_096)])(
    "that is none (%j) has no place, or an empty one",
    (text) => {
      expect(decodeCursor(text) ?? []).toEqual([]);
    },
  );
});
