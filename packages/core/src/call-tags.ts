/** What an operator's own words say of a call, such as `{ team: "search" }`: by the name of each tag its value. */
export type CallTags = Record<string, string>;

/** How many tags may be declared, and so the most that a call has. */
export const MAX_TAGS = 8;

const TAG_NAME = /^[a-z][a-z0-9_]{0,31}$/;

/** Tells whether a tag may have such a name. */
export function isTagName(name: string): boolean {
  return TAG_NAME.test(name);
}

/** How long a tag's value may be. */
export const TAG_VALUE_LIMITS = { max: 128, maxBytes: 128 };

/** Writes tags in the one way in which they are kept: by name, and none at all as `null`. */
export function canonicalTags(tags: Readonly<CallTags>): CallTags | null {
  const entries = Object.entries(tags).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return entries.length === 0 ? null : Object.fromEntries(entries);
}
