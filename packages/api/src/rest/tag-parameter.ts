import {
  type CallTags,
  isName,
  isTagName,
  MAX_TAGS,
  TAG_VALUE_LIMITS,
  UsageStatsError,
} from "@usage-stats/core";
import * as z from "zod";
import { orRefuse } from "../input/refusal.ts";
import { MAX_LISTED } from "../input/usage-filter.ts";

/** Tags to look for, each as `name:value`. Refused with `invalid_option`. */
export const tagParameter = z.array(z.string()).transform(orRefuse(readTags));

function readTags(sent: readonly string[]): CallTags {
  const tags = new Map(sent.map(readTag));
  if (tags.size === sent.length && tags.size <= MAX_TAGS) return Object.fromEntries(tags);
  throw new UsageStatsError("invalid_option", `tag may be sent ${MAX_TAGS} times, and once for each name.`, {
    field: "tag",
  });
}

/** Tags to look for, each as `name:value`; of several values of one name any will do. Refused with `invalid_option`. */
export const tagListsParameter = z
  .array(z.string())
  .transform(orRefuse(readTagLists))
  .describe("Only calls with this tag, as `name:value`; of several values of one tag any.");

function readTagLists(sent: readonly string[]): Record<string, string[]> {
  const lists = Map.groupBy(sent.map(readTag), ([name]) => name);
  if (lists.size <= MAX_TAGS && [...lists.values()].every(({ length }) => length <= MAX_LISTED))
    return Object.fromEntries([...lists].map(([name, all]) => [name, all.map(([, value]) => value)]));
  throw new UsageStatsError(
    "invalid_option",
    `tag may have ${MAX_TAGS} names, and ${MAX_LISTED} values of each.`,
    { field: "tag" },
  );
}

function readTag(text: string): [name: string, value: string] {
  const [, name = "", rest = ""] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const value = rest.trim();
  if (isTagName(name) && isName(value, TAG_VALUE_LIMITS)) return [name, value];
  throw new UsageStatsError(
    "invalid_option",
    `tag must be a name and a value of 1 to ${TAG_VALUE_LIMITS.maxBytes} bytes, such as team:search.`,
    { field: "tag", value: text },
  );
}
