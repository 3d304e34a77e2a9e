import { type GroupDimension, type GroupKey } from "./group-by.ts";

/** A group's values in the order of what is grouped by. */
export type KeyTexts = (string | null)[];

export function keyTexts(key: GroupKey, groupBy: readonly GroupDimension[]): KeyTexts {
  return groupBy.map((dimension) => key[dimension] ?? null);
}

/** Gives a text that tells a group from every other of the same query. */
export function groupId(key: GroupKey, groupBy: readonly GroupDimension[]): string {
  return JSON.stringify(keyTexts(key, groupBy));
}
