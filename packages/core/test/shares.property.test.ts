import { Big } from "big.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type CreditUnits } from "../src/credit-units.ts";
import { sharesOf } from "../src/shares.ts";

// From the smallest to what a rollup's column holds, on both sides of where a number stops being exact.
const amount: fc.Arbitrary<CreditUnits> = fc
  .oneof(
    fc.bigInt({ min: 0n, max: 3n }),
    fc.bigInt({ min: 2n ** 53n - 100n, max: 2n ** 53n + 100n }),
    fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }),
  )
  .map((units) => (units <= Number.MAX_SAFE_INTEGER ? Number(units) : units));

const Exact = Big();
Exact.DP = 80;

it("are the nearest numbers to the exact quotients, and add up to 1 but for their rounding", () => {
  fc.assert(
    fc.property(fc.array(amount, { minLength: 1, maxLength: 12 }), (parts) => {
      const whole = parts.reduce<bigint>((sum, part) => sum + BigInt(part), 0n);
      const shares = sharesOf(parts, parts.length);
      fc.pre(whole > 0n);
      // To so many decimals that reading the text is what rounds.
      expect(shares).toEqual(parts.map((part) => Exact(part.toString()).div(whole.toString()).toNumber()));
      const added = shares.reduce<Big>((sum, share) => sum.plus(share!), Exact(0));
      expect(added.minus(1).abs().lte(Exact(2).pow(-53).times(parts.length))).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it.each([
  ["the whole is zero", [0, 0]],
  ["a part is negative", [3, -1]],
  ["the whole is negative", [1, -2]],
  ["a part is negative beyond what a number holds", [10n ** 20n, -(10n ** 19n)]],
])("are none where %s", (_, parts) => {
  expect(sharesOf(parts, parts.length)).toEqual([null, null]);
});

it("are of all parts, whichever of them are asked for", () => {
  expect(sharesOf([1, 1, 2], 2)).toEqual([0.25, 0.25]);
  expect(sharesOf([1, 1, -2], 2)).toEqual([null, null]);
});

it("are of nothing where there are no parts", () => {
  expect(sharesOf([], 5)).toEqual([]);
});
