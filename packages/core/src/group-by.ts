import { isTagName } from "./call-tags.ts";
import { UsageStatsError } from "./errors.ts";
import { type CallStatus, type CallType } from "./model-call.ts";

/** What calls are grouped by besides the operator's tags. */
export const GROUP_DIMENSIONS = ["app", "key", "provider", "model", "type", "status"] as const;

/** One of the tags that the operator declares, such as `tag.team`. */
export type TagDimension = `tag.${string}`;

export type GroupDimension = (typeof GROUP_DIMENSIONS)[number] | TagDimension;
export const MAX_GROUP_DIMENSIONS = 2;

/** One value for each dimension asked for; `null` is of calls that name no app or key, or have no such tag. */
export type GroupKey = Partial<Record<GroupDimension, string | null>>;

/** Calls must match every list that is given; a list matches any of its values. */
export type UsageFilter = {
  appDids?: string[];
  keyIds?: string[];
  providerIds?: string[];
  models?: string[];
  types?: CallType[];
  status?: CallStatus[];
  /** By the name of a tag its values. */
  tags?: Readonly<Record<string, readonly string[]>>;
};

const TAG = "tag.";

/** Gives the name of the tag that a dimension is, or `null` for one that is no tag. */
export function tagOf(dimension: string): string | null {
  const name = dimension.startsWith(TAG) ? dimension.slice(TAG.length) : "";
  return isTagName(name) ? name : null;
}

/** Gives the tags that a question groups or filters by, each with the field that says so. */
export function tagsAskedFor({ groupBy = [], filter }: Grouping): { name: string; field: string }[] {
  return [
    ...groupBy.flatMap((dimension, i) => {
      const name = tagOf(dimension);
      return name === null ? [] : [{ name, field: `groupBy.${i}` }];
    }),
    ...Object.keys(filter.tags ?? {}).map((name) => ({ name, field: `filter.tags.${name}` })),
  ];
}

type Grouping = { groupBy?: readonly GroupDimension[]; filter: UsageFilter };

/** Refuses to tell keys apart where all users' calls are added up, which forgets them. Throws `invalid_option`. */
export function refuseKeysOfEveryone({ groupBy = [], filter }: Grouping): void {
  const index = groupBy.indexOf("key");
  if (index === -1 && filter.keyIds === undefined) return;
  throw new UsageStatsError(
    "invalid_option",
    "A key is one user's: ask for one user's usage to group or filter by key.",
    { field: index === -1 ? "filter.keyIds" : `groupBy.${index}` },
  );
}
