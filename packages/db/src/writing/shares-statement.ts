import { type CallChange } from "@usage-stats/core";
import { roundsOf } from "./rounds.ts";
import { isCall } from "./write-changes.ts";

/** So many calls are worth a statement of their own. */
export const ENOUGH_CALLS = 100;

/**
 * Says whether a recording is written by a statement that it shares with others, and takes no connection of its own: at most a
 * hundred calls, none of them twice and none that is to be voided, and not all or nothing.
 */
export function sharesStatement(changes: readonly CallChange[], isAtomic: boolean): boolean {
  return !isAtomic && isSmall(changes) && changes.every(isCall) && roundsOf(changes).length === 1;
}

/** Says whether they are few enough for that. */
export function isSmall({ length }: readonly CallChange[]): boolean {
  return length > 0 && length <= ENOUGH_CALLS;
}
