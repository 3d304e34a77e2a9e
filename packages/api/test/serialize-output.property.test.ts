import fc from "fast-check";
import superjson from "superjson";
import { expect, it } from "vitest";
import { serializeOutput } from "../src/serialize-output.ts";

const shared = [new Date(0), new Date("2025-06-20T12:00:00.123Z"), new Date(-1)];
const key = fc.oneof(
  fc.constantFrom("range", "from", "a.b", "a\\b", "", "7", "10", "constructor", "toJSON", "__proto__"),
  fc.string({ maxLength: 4 }),
);
const leaf = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, 0, 0.5, "\ud800"),
  fc.date(),
  fc.constantFrom(...shared),
);
const odd = fc.oneof(
  { weight: 30, arbitrary: leaf },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(undefined, Number.NaN, -0, Infinity, 1n, new Map(), new URL("a:b")),
  },
  { weight: 1, arbitrary: fc.date({ noInvalidDate: false }) },
);
const data = (of: fc.Arbitrary<unknown>) =>
  fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4, depthSize: "small" }, of, tie("list"), tie("record")),
    list: fc.array(tie("value"), { maxLength: 5 }),
    record: fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }),
  })).value;

function written(serialize: (output: unknown) => unknown, output: unknown): string {
  try {
    return JSON.stringify(serialize(output));
  } catch (error) {
    return String(error);
  }
}

it.each([
  ["plain data", data(leaf)],
  ["what is not plain", data(odd)],
])("writes %s as superjson does", (_, values) => {
  fc.assert(
    fc.property(values, (output) => {
      expect(written(serializeOutput, output)).toBe(written(superjson.serialize, output));
    }),
    { numRuns: 3_000 },
  );
});

it("writes what is there twice, and what is in itself, as superjson does", () => {
  const range = { from: shared[0], to: shared[1] };
  const circle: Record<string, unknown> = { range };
  circle["self"] = circle;
  for (const output of [
    { comparison: { range: { from: shared[2], to: shared[0] } }, range, now: shared[0] },
    { range, again: range },
    [range, range.from, [range.from]],
    circle,
    shared[0],
  ])
    expect(written(serializeOutput, output)).toBe(written(superjson.serialize, output));
});
