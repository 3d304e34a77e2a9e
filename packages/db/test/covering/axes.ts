import { RANKING_METRICS } from "@usage-stats/core";
import { CHANGES } from "./changes.ts";
import { FILTERS, FRESHNESS, GROUPINGS, HOURS, WHOSE, ZONES } from "./question.ts";
import { STATES } from "./rollup-states.ts";

/** What an answer may depend on. Every pair of values of two of them is played: to add one, add its line here and heed it in `questionOf`, or in the test. */
export const AXES = {
  bucket: namesOf(HOURS),
  zone: namesOf(ZONES),
  groupBy: namesOf(GROUPINGS),
  filter: namesOf(FILTERS),
  rankBy: RANKING_METRICS,
  compare: ["previous", "none"],
  freshness: namesOf(FRESHNESS),
  who: namesOf(WHOSE),
  state: namesOf(STATES),
  change: namesOf(CHANGES),
  /** As one, or as a history that a cache would keep and the remainder. */
  read: ["whole", "in two parts"],
  percentiles: ["asked for", "not asked for"],
} as const;

function namesOf<Name extends string>(table: Record<Name, unknown>): Name[] {
  return Object.keys(table) as Name[];
}
