import { CALL_FIELD_NAMES, type CallFieldName, type ListedCall } from "@usage-stats/core";
import fc from "fast-check";
import papaparse from "papaparse";
import { describe, expect, it } from "vitest";
import { callsCsv } from "../../src/calls/calls-csv.ts";
import { BYTE_ORDER_MARK, csvText } from "../../src/csv/csv-text.ts";
import { guardFormula, unguardFormula } from "../../src/csv/formula-guard.ts";
import { readerOf } from "../../src/ingest/import/input-options.ts";
import { collect, inputOf } from "../ingest/import/inputs.ts";
import { modelCall } from "../model-calls.ts";

// Pieces of which attacks are made, and what may stand before or between them.
const PIECES = [
  ...Array.from("=+-@＝＋－＠\t\r\n'\",; \v\f"),
  ...Array.from("\u0001\u001c\u0085\u00a0\u00ad\u034f\u180e\u200b\u200d\u2028\u2029\u2060\u3000\ufeff"),
  "\r\n",
  "a",
  "1+1",
  "文心一言",
  "👍",
  '=HYPERLINK("https://evil.example","x")',
  "cmd|' /C calc'!A0",
];
const awkward = fc
  .array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 12 })
  .map((all) => all.join(""));
const text = fc
  .oneof(awkward, fc.string({ minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }))
  .filter((value) => value.length <= 128);
const nameable = text.map((value) => value.replaceAll(/\p{Cc}/gu, "")).filter((value) => value !== "");

const call: fc.Arbitrary<ListedCall> = fc
  .record({
    id: nameable,
    appDid: fc.option(nameable, { nil: null }),
    providerId: nameable,
    model: nameable,
    errorReason: fc.option(text.filter(isWellFormed), { nil: null }),
    requestId: fc.option(text.filter(isWellFormed), { nil: null }),
    conversationId: fc.option(nameable.filter(isShort), { nil: null }),
    tags: fc.option(fc.record({ team: nameable.filter(isShort).filter((value) => value.trim() === value) }), {
      nil: null,
    }),
    metadata: fc.option(
      fc.dictionary(nameable, text.filter(isWellFormed), { maxKeys: 2, noNullPrototype: true }),
      {
        nil: null,
      },
    ),
  })
  .map((change) => ({ ...modelCall(change), credits: "0.10000000", voidedAt: null }));

function isShort(value: string): boolean {
  return Buffer.byteLength(value) <= 128;
}

function isWellFormed(value: string): boolean {
  return value.isWellFormed() && !value.includes("\0");
}

async function csvOf(...calls: ListedCall[]): Promise<string> {
  async function* pages() {
    yield calls;
  }
  return (await collect(callsCsv(pages(), "UTC"))).join("");
}

describe("the formula guard", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["Error: 429\n=1+1\n    at x", "Error: 429\n'=1+1\n    at x"],
    ["a\r\n+1\r-2\u2028@x", "a\r\n'+1\r'-2\u2028'@x"],
    ["  =1", "'  =1"],
    ["\ufeff=1", "'\ufeff=1"],
    ["\u200b\u2060=1", "'\u200b\u2060=1"],
    ["＝1＋1", "'＝1＋1"],
    ["＠SUM(1)", "'＠SUM(1)"],
    ["\n=1", "'\n'=1"],
    ["'=1", "''=1"],
    ["''", "''"],
    ["it's", "it's"],
    ["a = b - c", "a = b - c"],
    ["Error\n  at x (y.js:1)", "Error\n  at x (y.js:1)"],
  ])("makes %j %j", (from, to) => {
    expect(guardFormula(from)).toBe(to);
    expect(unguardFormula(to)).toBe(from);
  });

  it("leaves no line that a spreadsheet would run, and comes off again exactly", () => {
    fc.assert(
      fc.property(fc.oneof(awkward, fc.string()), (value) => {
        const guarded = guardFormula(value);
        for (const line of guarded.split(/[\r\n\v\f\u2028\u2029\u0085]/))
          expect(line).not.toMatch(/^[\s\u200b\u2060\ufeff]*[=+\-@＝＋－＠]/);
        expect(guarded).not.toMatch(/^[\t\r\n]/);
        expect(unguardFormula(guarded)).toBe(value);
        // Also where it had been guarded before.
        expect(unguardFormula(guardFormula(guarded))).toBe(guarded);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("calls as CSV", () => {
  it("keeps a provider's error of several lines in one field, which runs nowhere", async () => {
    const errorReason = "Error: 429\n=1+1\n    at x";
    const csv = await csvOf({ ...modelCall({ id: "1", errorReason }), voidedAt: null });
    const { data, errors } = papaparse.parse(csv.trimEnd());
    expect(errors).toEqual([]);
    expect(data.map(({ length }) => length)).toEqual([CALL_FIELD_NAMES.length, CALL_FIELD_NAMES.length]);
    expect(csv.split(/[\r\n]/).filter((line) => line.startsWith("="))).toEqual([]);
  });

  it("is read by another parser as it was meant, and by our import as it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 5 }), async (calls) => {
        const csv = await csvOf(...calls);
        const { data, errors } = papaparse.parse(csv.replace(/\r\n$/, ""), { delimiter: "," });
        expect(errors).toEqual([]);
        expect(data).toHaveLength(calls.length + 1);
        for (const [i, { id, model, errorReason }] of calls.entries()) {
          const row = data[i + 1]!;
          const cell = (column: CallFieldName) => unguardFormula(row[CALL_FIELD_NAMES.indexOf(column)]!);
          expect(row).toHaveLength(CALL_FIELD_NAMES.length);
          expect([cell("id"), cell("model"), cell("errorReason")]).toEqual([id, model, errorReason ?? ""]);
        }
        const input = await inputOf(BYTE_ORDER_MARK + csv, 7);
        const lines = await collect(readerOf("calls.csv", {}, ["team"])(input.bytes));
        expect(lines.map(({ result }) => ("call" in result ? result.call : result))).toEqual(
          calls.map(({ voidedAt: _, ...one }) => one),
        );
      }),
      { numRuns: 300 },
    );
  });

  it.each(Array.from('\r\n",;\t'))("quotes a field that holds %j", (character) => {
    expect(csvText([[`a${character}b`, "c"]])).toBe(`"a${character === '"' ? '""' : character}b",c\r\n`);
  });
});
