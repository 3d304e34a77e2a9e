import { Big } from "big.js";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sumMeasures } from "../src/measures.ts";
import { mergeAggregates } from "../src/merge-aggregates.ts";
import {
  type AggregateQuery,
  type Aggregates,
  type Measures,
  METRIC_NAMES,
  METRICS,
  type RankingMetric,
  splitQuery,
  WHOLE_COLUMNS,
  type WholeMeasure,
} from "../src/index.ts";

const NOW = new Date("2025-06-20T12:00:00Z");
const query: AggregateQuery = {
  userDid: null,
  range: { from: new Date("2025-06-19T00:05:00Z"), to: NOW },
  previous: null,
  settled: false,
  edges: [
    new Date("2025-06-19T00:05:00Z"),
    new Date("2025-06-19T00:15:00Z"),
    new Date("2025-06-20T00:00:00Z"),
    NOW,
  ],
  groupBy: ["model"],
  filter: {},
  rankBy: "calls",
  topN: 2,
};
const split = splitQuery(query, NOW)!;
const none: Aggregates = { sums: [], models: [], groups: [], groupSeries: [] };

function measures(calls: number): Measures {
  return { ...sumMeasures([]), calls, credits: String(calls / 8) };
}

const group = (model: string | null, own: number | Measures) => ({
  key: { model },
  measures: typeof own === "number" ? measures(own) : own,
});
const merge = (
  history: Partial<Aggregates>,
  remainder: Partial<Aggregates>,
  rankBy: RankingMetric = "calls",
) => mergeAggregates({ ...query, rankBy }, split, { ...none, ...history }, { ...none, ...remainder });

describe("facts of history and remainder", () => {
  it("are put in the question's buckets", () => {
    const row = (bucket: number) => ({
      period: "current" as const,
      bucket,
      type: "embedding" as const,
      measures: measures(1),
    });
    // History begins at the second bucket; the remainder is in the first.
    const merged = merge({ sums: [row(0)] }, { sums: [row(0)] })!;
    expect(merged.sums.map(({ bucket }) => bucket)).toEqual([1, 0]);
    expect(merged).not.toHaveProperty("latencies");
  });

  it("have their histograms in the same buckets, and in no group's place but its own", () => {
    const latencies = (bin: number) => ({
      sums: [
        { period: "current" as const, bucket: 0, durationMs: [[bin, 1]] as const, ttfbMs: [] },
        { period: "previous" as const, bucket: null, durationMs: [], ttfbMs: [[bin, 2]] as const },
      ],
      groups: [{ key: { model: `of bin ${bin}` }, durationMs: [[bin, 1]] as const, ttfbMs: [] }],
    });
    const merged = merge({ latencies: latencies(3) }, { latencies: latencies(4) })!.latencies!;
    expect(merged.sums.map(({ bucket, durationMs }) => [bucket, durationMs])).toEqual([
      [1, [[3, 1]]],
      [null, []],
      [0, [[4, 1]]],
      [null, []],
    ]);
    expect(merged.groups.map(({ key }) => key)).toEqual([{ model: "of bin 3" }, { model: "of bin 4" }]);
  });

  it("are ranked anew, together", () => {
    const merged = merge(
      { groups: [group("a", 5), group("b", 4)] },
      { groups: [group("b", 3), group("c", 1)] },
    )!;
    expect(merged.groups.map(({ key, measures: { calls } }) => [key.model, calls])).toEqual([
      ["b", 7],
      ["a", 5],
      ["c", 1],
    ]);
  });

  it("have one series for all groups that are not among the first", () => {
    const series = (model: string | null, calls: number) => ({
      bucket: 0,
      key: model === null ? null : { model },
      measures: measures(calls),
    });
    const merged = merge(
      {
        groups: [group("a", 5), group("b", 4), group("c", 3)],
        groupSeries: [series("a", 5), series("b", 4), series("c", 3)],
      },
      { groups: [group("c", 3)], groupSeries: [series("c", 3)] },
    )!;
    expect(
      merged.groupSeries.map(({ bucket, key, measures: { calls } }) => [bucket, key?.model, calls]),
    ).toEqual([
      [0, "c", 3],
      [1, "c", 3],
      [1, "a", 5],
      [1, undefined, 4],
    ]);
  });

  it("cannot tell the series of a group that comes from far behind", () => {
    const many = Array.from({ length: split.history.topN + 1 }, (_, i) => group(`model ${i}`, 1_000 - i));
    expect(
      merge({ groups: many }, { groups: [group(`model ${split.history.topN - 1}`, 5_000)] }),
    ).not.toBeNull();
    expect(merge({ groups: many }, { groups: [group(`model ${split.history.topN}`, 5_000)] })).toBeNull();
    expect(merge({ groups: many }, { groups: [group("new", 5_000)] })).not.toBeNull();
  });

  it("are ranked by what is asked for, of the whole: the first of neither part may be the first", () => {
    const costs = (model: string, calls: number, credits: string) => ({
      key: { model },
      measures: { ...measures(calls), credits },
    });
    const history = { groups: [costs("a", 9, "3.00000000"), costs("b", 1, "2.00000000")] };
    const remainder = { groups: [costs("c", 9, "2.50000000"), costs("b", 1, "2.00000000")] };
    const dearest = merge(history, remainder, "credits")!;
    expect(dearest.groups.map(({ key, measures: { credits } }) => [key.model, credits])).toEqual([
      ["b", "4.00000000"],
      ["a", "3.00000000"],
      ["c", "2.50000000"],
    ]);
    expect(merge(history, remainder)!.groups.map(({ key }) => key.model)).toEqual(["a", "c", "b"]);
  });

  it("are told apart by averages and credits that are the same as floats; no average is last", () => {
    const row = (model: string, durationMsSum: number, durationMsCount: number, credits: string) => ({
      key: { model },
      measures: { ...measures(1), durationMsSum, durationMsCount, credits },
    });
    const rows = [
      row("none", 0, 0, "90071992547409.92000001"),
      row("less", 2 ** 52 - 2, 2 ** 52 - 1, "90071992547409.92000002"),
      row("more", 2 ** 52 - 1, 2 ** 52, "90071992547409.92000003"),
      row("zero", 0, 1, "90071992547409.92000004"),
    ];
    const order = (rankBy: RankingMetric) =>
      merge({}, { groups: rows }, rankBy)!.groups.map(({ key }) => key.model);
    expect(order("durationMs")).toEqual(["more", "less", "zero", "none"]);
    expect(order("credits")).toEqual(["zero", "more", "less", "none"]);
  });

  it("are ranked by any metric as a decimal library orders them, models too", () => {
    const drawn = fc.uniqueArray(
      fc.record({
        model: fc.constantFrom("a", "b", "c", "d"),
        whole: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 20, maxLength: 20 }),
        credits: fc.constantFrom("0.00000001", "0.00000002", "1000000000000000000.00000001"),
      }),
      { minLength: 1, selector: ({ model }) => model },
    );
    type Drawn = (typeof drawn extends fc.Arbitrary<infer Rows extends unknown[]> ? Rows : never)[number];
    const measuresIn = ({ whole, credits }: Drawn): Measures => {
      const sums = Object.keys(WHOLE_COLUMNS).map((name, i) => [name, whole[i]!]);
      return { ...(Object.fromEntries(sums) as Record<WholeMeasure, number>), credits };
    };
    const aggregatesIn = (rows: Drawn[]) => ({
      models: rows.map((row) => ({ providerId: "p", model: row.model, measures: measuresIn(row) })),
      groups: rows.map((row) => group(row.model, measuresIn(row))),
    });
    fc.assert(
      fc.property(drawn, drawn, fc.constantFrom(...METRIC_NAMES), (one, other, rankBy) => {
        const { models, groups } = merge(aggregatesIn(one), aggregatesIn(other), rankBy)!;
        const value = (own: Measures) => {
          if (METRICS[rankBy].kind !== "average") return Big(own[rankBy as "calls" | "credits"]);
          const [sum, count] = [own[`${rankBy as "ttfbMs"}Sum`], own[`${rankBy as "ttfbMs"}Count`]];
          return count === 0 ? Big(-1) : Big(sum).div(count);
        };
        const ordered = models.toSorted(
          (a, b) => value(b.measures).cmp(value(a.measures)) || (a.model < b.model ? -1 : 1),
        );
        expect(models).toEqual(ordered);
        expect(groups).toEqual(ordered.map(({ model, measures: own }) => group(model, own)));
      }),
      { numRuns: 500 },
    );
  });

  it("are ranked as PostgreSQL does where calls are equal: by code points, nothing last", () => {
    const text = fc.string({ unit: "binary", maxLength: 4 }).filter((drawn) => drawn.isWellFormed());
    fc.assert(
      fc.property(fc.uniqueArray(text, { minLength: 2, maxLength: 8 }), (models) => {
        const merged = merge(
          { groups: [group(null, 1)] },
          { groups: models.map((model) => group(model, 1)) },
        )!;
        const bytes = models.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        expect(merged.groups.map(({ key }) => key.model)).toEqual([...bytes, null]);
      }),
      { numRuns: 500 },
    );
  });
});
