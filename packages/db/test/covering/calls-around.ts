import { type ModelCall, previousRange, type UsageStatsQuery } from "@usage-stats/core";
import fc from "fast-check";
import { callsNear } from "../arbitrary-usage.ts";
import { matches } from "../brute-force.ts";
import { instantsOf } from "./question.ts";

/** Calls around a question, most of them where it may go wrong; and some that come late. */
export function callsAround(query: UsageStatsQuery, seed: number): [early: ModelCall[], late: ModelCall[]] {
  const middle = (query.from.getTime() + query.to.getTime()) / 2;
  const [calls] = fc.sample(callsNear(middle, { minLength: 90, maxLength: 120 }), { seed, numRuns: 1 });
  const instants = instantsOf(query);
  const placed = calls!.map((call, i) =>
    i % 3 === 0
      ? call
      : { ...call, id: `${call.id}-${i}`, callTime: new Date(instants[i % instants.length]!) },
  );
  return [placed.slice(10), placed.slice(0, 10)];
}

/** Some of the calls, of which each may make a difference of its own: one of the range, its last, one of the period before, one that does not count. */
export function tellingCalls(
  calls: ModelCall[],
  query: UsageStatsQuery,
  draw: (bound: number) => number,
): ModelCall[] {
  const all = calls.toSorted((one, other) => one.callTime.getTime() - other.callTime.getTime());
  const within = ({ from, to }: Pick<UsageStatsQuery, "from" | "to">) =>
    all.filter(
      (call) =>
        (query.userDid === null || call.userDid === query.userDid) &&
        matches(call, query) &&
        call.callTime >= from &&
        call.callTime < to,
    );
  const [inside, before] = [within(query), within(previousRange(query))];
  const others = all.filter((call) => !inside.includes(call) && !before.includes(call));
  const any = (some: ModelCall[]) => some.slice(draw(some.length || 1)).slice(0, 1);
  return [...new Set([...any(inside), ...inside.slice(-1), ...any(before), ...any(others)])];
}
