import { Big } from "big.js";
import fc from "fast-check";
import { expect, it } from "vitest";
import { assembleStats } from "../src/assemble-stats.ts";
import {
  type Aggregates,
  CALL_TYPES,
  type Measures,
  METRICS,
  METRIC_NAMES,
  type Metrics,
  type MetricsByType,
  WHOLE_COLUMNS,
  type WholeMeasure,
} from "../src/index.ts";

const BUCKETS = 4;
const buckets = Array.from({ length: BUCKETS }, (_, day) => ({
  start: new Date(Date.UTC(2025, 5, 1 + day)),
  end: new Date(Date.UTC(2025, 5, 2 + day)),
  label: `2025-06-0${1 + day}`,
  whole: day > 0,
}));
const previous = { from: new Date("2025-05-28T00:00Z"), to: new Date("2025-06-01T00:00Z") };
const now = new Date("2025-06-04T12:00Z");

const WHOLE = Object.keys(WHOLE_COLUMNS) as WholeMeasure[];

// From one unit to more than a number holds exactly.
const credits = fc
  .oneof(fc.bigInt({ min: 0n, max: 10n ** 12n }), fc.bigInt({ min: 0n, max: 10n ** 30n - 1n }))
  .map((units) => new Big(units.toString()).div(1e8).toFixed(8));
const whole = fc.oneof(fc.nat(1_000), fc.nat(10 ** 9), fc.nat({ max: 2 ** 40 }));
const measures: fc.Arbitrary<Measures> = fc
  .record({ numbers: fc.array(whole, { minLength: WHOLE.length, maxLength: WHOLE.length }), credits })
  .map(({ numbers, credits: text }) => ({
    ...(Object.fromEntries(WHOLE.map((name, i) => [name, numbers[i]!])) as Record<WholeMeasure, number>),
    credits: text,
  }));
const key = fc.record({ app: fc.option(fc.constantFrom("one", "two")) });
const aggregates: fc.Arbitrary<Aggregates> = fc.record({
  sums: fc.array(
    fc.record({
      period: fc.constantFrom("current" as const, "previous" as const),
      bucket: fc.option(fc.nat(BUCKETS - 1)),
      type: fc.constantFrom(...CALL_TYPES),
      measures,
    }),
    { maxLength: 40 },
  ),
  models: fc.array(fc.record({ providerId: fc.constant("p"), model: fc.constant("m"), measures }), {
    maxLength: 6,
  }),
  groups: fc.array(fc.record({ key, measures }), { maxLength: 6 }),
  groupSeries: fc.array(fc.record({ bucket: fc.nat(BUCKETS - 1), key: fc.option(key), measures }), {
    maxLength: 12,
  }),
});

const metric = fc.constantFrom(...METRIC_NAMES);

type Rows = readonly { measures: Measures }[];

/** Every metric by its own rule, as the list of metrics says it. */
function added(rows: Rows): Metrics {
  const sum = (name: WholeMeasure) => Number(rows.reduce((all, row) => all + BigInt(row.measures[name]), 0n));
  const entries = METRIC_NAMES.map((name) => {
    const { kind } = METRICS[name];
    if (kind === "decimal_sum")
      return [name, rows.reduce((all, row) => all.plus(row.measures.credits), Big(0)).toFixed(8)];
    if (kind !== "average") return [name, sum(name as WholeMeasure)];
    const count = sum(`${name}Count` as WholeMeasure);
    return [name, count === 0 ? null : { avg: sum(`${name}Sum` as WholeMeasure) / count }];
  });
  return Object.fromEntries(entries) as Metrics;
}

function addedByType(rows: Aggregates["sums"]): MetricsByType {
  const types = [...new Set(rows.map(({ type }) => type))];
  return Object.fromEntries(types.map((type) => [type, added(rows.filter((row) => row.type === type))]));
}

const Exact = Big();
Exact.DP = 60;

/** Each of the first rows' part of what all rows add up to, where there is one. */
function sharesOfTop(name: keyof Metrics, rows: Rows, topN: number): (number | null)[] {
  if (METRICS[name].kind === "average") return rows.slice(0, topN).map(() => null);
  const amounts = rows.map((row) => Exact(added([row])[name] as number | string));
  const total = amounts.reduce((all, amount) => all.plus(amount), Exact(0));
  return amounts.slice(0, topN).map((amount) => (total.eq(0) ? null : amount.div(total).toNumber()));
}

it("adds up every part of an answer as by hand, and drops and doubles nothing", () => {
  fc.assert(
    fc.property(aggregates, metric, fc.integer({ min: 1, max: 7 }), (all, rankBy, topN) => {
      const stats = assembleStats({ buckets, grouped: true, rankBy, topN, previous, now }, all);
      const current = all.sums.filter(({ period }) => period === "current");
      const before = all.sums.filter(({ period }) => period === "previous");
      expect(stats.totals).toEqual(added(current));
      expect(stats.byType).toEqual(addedByType(current));
      expect(Object.keys(stats.byType)).toEqual(Object.keys(addedByType(current)));
      expect(stats.comparison).toMatchObject({ totals: added(before), byType: addedByType(before) });
      for (const [i, item] of stats.series.entries()) {
        const own = all.sums.filter(({ bucket }) => bucket === i);
        expect(item).toEqual({
          start: buckets[i]!.start,
          end: buckets[i]!.end,
          label: buckets[i]!.label,
          partial: i === 0 || i === BUCKETS - 1,
          metrics: added(own),
          byType: addedByType(own),
          groups: all.groupSeries
            .filter(({ bucket }) => bucket === i)
            .map((row) => ({ key: row.key, metrics: added([row]) })),
        });
      }
      for (const [ranked, rows] of [
        [stats.models, all.models],
        [stats.groups!, all.groups],
      ] as const) {
        expect(ranked.count).toBe(rows.length);
        expect(ranked.items.map(({ share }) => share)).toEqual(sharesOfTop(rankBy, rows, topN));
        expect(ranked.items.map(({ metrics }) => metrics)).toEqual(
          rows.slice(0, topN).map((row) => added([row])),
        );
        expect(ranked.other).toEqual(rows.length > topN ? added(rows.slice(topN)) : null);
      }
    }),
    { numRuns: 300 },
  );
});

it.each(WHOLE)("refuses a sum of %s that a number cannot hold exactly, by its name", (name) => {
  const none = Object.fromEntries(WHOLE.map((other) => [other, 0])) as Record<WholeMeasure, number>;
  const row = (amount: number) => ({
    period: "current" as const,
    bucket: null,
    type: "video" as const,
    measures: { ...none, [name]: amount, credits: "0.00000000" },
  });
  const rows = { models: [], groups: [], groupSeries: [] };
  const shape = { buckets: [], grouped: false, rankBy: "calls" as const, topN: 5, previous: null, now };
  const most = assembleStats(shape, { ...rows, sums: [row(Number.MAX_SAFE_INTEGER - 1), row(1)] });
  expect(most.totals).toEqual(added([row(Number.MAX_SAFE_INTEGER)]));
  expect(() => assembleStats(shape, { ...rows, sums: [row(Number.MAX_SAFE_INTEGER), row(1)] })).toThrow(
    expect.objectContaining({ code: "number_too_large", field: name }),
  );
});
