import fc from "fast-check";
import { expect, it } from "vitest";
import { GRAIN_MS, settledUntil, splitQuery, type TimeRange, type AggregateQuery } from "../src/index.ts";

const NOW = Date.UTC(2025, 5, 20, 12, 7, 30);
const QUARTER = GRAIN_MS.quarter;
const instant = fc.integer({ min: -20 * QUARTER, max: 5 * QUARTER }).map((offset) => NOW + offset);
const ordered = (times: number[]) =>
  [...new Set(times)].toSorted((a, b) => a - b).map((time) => new Date(time));

const query: fc.Arbitrary<AggregateQuery> = fc
  .record({
    ends: fc.uniqueArray(instant, { minLength: 3, maxLength: 3 }),
    edges: fc.array(instant, { maxLength: 8 }),
    compare: fc.boolean(),
  })
  .map(({ ends, edges, compare }) => {
    const [start, from, to] = ordered(ends) as [Date, Date, Date];
    const within = ordered(edges).filter((edge) => edge >= from && edge <= to);
    return {
      userDid: "did:abt:z1alice",
      range: { from, to },
      previous: compare ? { from: start, to: from } : null,
      settled: false,
      edges: within.length > 1 ? within : [],
      groupBy: [],
      filter: {},
      rankBy: "calls",
      topN: 5,
    };
  });

/** How often each of some moments is covered by ranges. */
const coverage = (ranges: (TimeRange | null)[], moments: number[]) =>
  moments.map(
    (at) => ranges.filter((range) => range && range.from.getTime() <= at && at < range.to.getTime()).length,
  );

it("covers every moment of both periods once, by history and remainder together", () => {
  fc.assert(
    fc.property(query, (asked) => {
      const split = splitQuery(asked, new Date(NOW));
      if (split === null) return;
      const { history, remainder } = split;
      const edges = [asked.range, asked.previous, history.range, history.previous, ...remainder].flatMap(
        (range) => (range === null ? [] : [range.from.getTime(), range.to.getTime()]),
      );
      const moments = edges.flatMap((at) => [at - 1, at, at + 1]);
      expect(coverage([history.range, history.previous, ...remainder], moments)).toEqual(
        coverage([asked.range, asked.previous], moments),
      );
      expect(
        coverage([history.range], moments).every((n, i) => n <= coverage([asked.range], moments)[i]!),
      ).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it("takes only whole quarters that are settled into history", () => {
  fc.assert(
    fc.property(query, (asked) => {
      const { history } = splitQuery(asked, new Date(NOW)) ?? {};
      for (const range of [history?.range, history?.previous]) {
        if (!range) continue;
        expect([range.from.getTime() % QUARTER, range.to.getTime() % QUARTER]).toEqual([0, 0]);
        expect(range.from < range.to && range.to <= settledUntil(new Date(NOW))).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
});

it("asks history for the same buckets, cut off at its ends", () => {
  fc.assert(
    fc.property(query, (asked) => {
      const split = splitQuery(asked, new Date(NOW));
      if (split === null) return;
      const { history, firstBucket } = split;
      const bucketOf = (edges: Date[], at: number) =>
        edges.findIndex(
          (edge, i) => edge.getTime() <= at && i + 1 < edges.length && at < edges[i + 1]!.getTime(),
        );
      for (let at = history.range.from.getTime(); at < history.range.to.getTime(); at += QUARTER / 3) {
        const bucket = bucketOf(history.edges, at);
        expect(bucket === -1 ? -1 : bucket + firstBucket).toBe(bucketOf(asked.edges, at));
      }
      for (const edge of history.edges)
        expect(edge >= history.range.from && edge <= history.range.to).toBe(true);
    }),
    { numRuns: 2_000 },
  );
});

it("finds the same history a moment later, for a range that moves on as the clock does", () => {
  fc.assert(
    fc.property(query, fc.integer({ min: 0, max: 20_000 }), (asked, passed) => {
      const moved = ({ from, to }: TimeRange) => ({
        from: new Date(from.getTime() + passed),
        to: new Date(to.getTime() + passed),
      });
      const later = {
        ...asked,
        range: moved(asked.range),
        previous: asked.previous && moved(asked.previous),
        edges: [],
      };
      const one = splitQuery({ ...asked, edges: [] }, new Date(NOW));
      const other = splitQuery(later, new Date(NOW + passed));
      const crosses = [asked.range, asked.previous].some((range) =>
        [range?.from, range?.to].some(
          (at) => at && Math.ceil(at.getTime() / QUARTER) !== Math.ceil((at.getTime() + passed) / QUARTER),
        ),
      );
      fc.pre(!crosses);
      expect(other?.history).toEqual(one?.history);
    }),
  );
});

it("has no history where no quarter of the range is over", () => {
  const [from, to] = [new Date(NOW - 60_000), new Date(NOW)];
  const asked = { ...fc.sample(query, 1)[0]!, range: { from, to }, previous: null, edges: [] };
  expect(splitQuery(asked, new Date(NOW))).toBeNull();
});
