import { Big } from "big.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { addCredits, formatCredits, parseCredits } from "../src/credit-units.ts";
import { changeBetween } from "../src/index.ts";

// Around where a number stops being exact, and up to what a rollup's column holds.
const decimal = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 10n ** 10n }),
    fc.bigInt({ min: 2n ** 53n - 100n, max: 2n ** 53n + 100n }),
    fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
  )
  .map((units) => Big(units.toString()).div(1e8).toFixed(8));

it("add up exactly, from the smallest to the largest that a rollup holds", () => {
  fc.assert(
    fc.property(fc.array(decimal, { maxLength: 20 }), (texts) => {
      const sum = texts.map(parseCredits).reduce(addCredits, 0);
      expect(formatCredits(sum)).toBe(texts.reduce((all, text) => all.plus(text), Big(0)).toFixed(8));
    }),
    { numRuns: 1_000 },
  );
});

it("are read however many of their decimals are written, and below zero", () => {
  for (const [text, written] of [
    ["0", "0.00000000"],
    ["12", "12.00000000"],
    ["0.1", "0.10000000"],
    ["1e-8", "0.00000001"],
    ["-0.00000001", "-0.00000001"],
    ["-12.50000000", "-12.50000000"],
  ] as const)
    expect(formatCredits(parseCredits(text))).toBe(written);
});

it.each(["NaN", "", "1,00000000", "12x.00000000", "1.0000000x", "Infinity"])(
  "are not made up of %j",
  (text) => {
    expect(() => parseCredits(text)).toThrow("Invalid number");
  },
);

it("grow by the fraction that a decimal library gives, to the last bit", () => {
  const amount = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.nat(1_000), fc.maxSafeInteger());
  fc.assert(
    fc.property(amount, amount, decimal, decimal, (one, other, before, after) => {
      const change = changeBetween(
        { calls: one, totalUsage: other, credits: before },
        { calls: other, totalUsage: one, credits: after },
      );
      const fraction = (base: number | string, current: number | string) =>
        Big(base).eq(0) ? null : Big(current).minus(base).div(base).toNumber();
      expect(change).toEqual({
        calls: fraction(one, other),
        usage: fraction(other, one),
        credits: fraction(before, after),
      });
    }),
    { numRuns: 2_000 },
  );
});
