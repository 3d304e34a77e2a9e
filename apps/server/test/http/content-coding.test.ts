import { type ContentCoding } from "@usage-stats/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chooseContentCoding, refusesPlain } from "../../src/http/content-coding.ts";

const BOTH: ContentCoding[] = ["br", "gzip"];

describe("of br and gzip, in this order", () => {
  it.each([
    [undefined, null],
    ["", null],
    ["gzip", "gzip"],
    ["br", "br"],
    ["gzip, deflate, br, zstd", "br"],
    ["gzip, deflate", "gzip"],
    ["deflate, zstd", null],
    ["x-gzip", "gzip"],
    ["GZIP", "gzip"],
    ["*", "br"],
    ["*;q=0", null],
    ["br;q=0, *", "gzip"],
    ["gzip;q=0, br;q=0, *", null],
    ["br;q=0.5, gzip;q=0.8", "gzip"],
    ["br;q=0.5, gzip;q=0.5", "br"],
    ["br;q=0.001, gzip;q=0", "br"],
    ["br;q=0, gzip;q=0", null],
    ["gzip;q=1.000,br;q=0.999", "gzip"],
    ["gzip ; q=0.2 , br ; Q=0.1", "gzip"],
    ["identity", null],
    ["identity, gzip", "gzip"],
    ["identity;q=1, gzip;q=0.5", null],
    ["identity;q=0.5, gzip;q=1", "gzip"],
    ["identity;q=0", null],
    ["identity;q=0, gzip;q=0.1", "gzip"],
    ["*;q=0.5, identity;q=1", null],
    ["*;q=0.5, identity;q=0.4", "br"],
    ["gzip;q=2", null],
    ["gzip;q=-1", null],
    ["gzip;q=x, br", "br"],
    ["gzip;q", null],
    ["brr, gzipp", null],
    ["gzip\u0000, br", "br"],
  ])("%j chooses %s", (header, coding) => {
    expect(chooseContentCoding(header, BOTH)).toBe(coding);
  });

  it("chooses only what there is", () => {
    expect(chooseContentCoding("br, gzip;q=0.1", ["gzip"])).toBe("gzip");
    expect(chooseContentCoding("br", ["gzip"])).toBeNull();
    expect(chooseContentCoding("br, gzip", [])).toBeNull();
  });
});

it("never chooses what is refused, nor what weighs less than something else that there is", () => {
  const weight = fc.constantFrom("0", "0.1", "0.5", "1");
  const member = fc.tuple(fc.constantFrom("br", "gzip", "identity", "*"), weight);
  fc.assert(
    fc.property(fc.uniqueArray(member, { selector: ([name]) => name }), (members) => {
      const header = members.map(([name, q]) => `${name};q=${q}`).join(", ");
      const weights = new Map<string, number>(members.map(([name, q]) => [name, Number(q)]));
      const weightOf = (name: string) => weights.get(name) ?? weights.get("*") ?? 0;
      const chosen = chooseContentCoding(header, BOTH);
      const all = ["br", "gzip", "identity"].map(weightOf);
      expect(chosen === null ? Math.max(weightOf("br"), weightOf("gzip")) : weightOf(chosen)).toSatisfy(
        (weighs: number) =>
          chosen === null ? weighs === 0 || weighs < weightOf("identity") : weighs === Math.max(...all),
      );
    }),
  );
});

it.each([
  [undefined, false],
  ["gzip", false],
  ["gzip;q=0", false],
  ["identity;q=0", true],
  ["identity;q=0.0, gzip", true],
  ["*;q=0", true],
  ["*;q=0, identity", false],
  ["*;q=0, gzip", true],
])("the plain text is refused by %j: %s", (header, refused) => {
  expect(refusesPlain(header)).toBe(refused);
});
