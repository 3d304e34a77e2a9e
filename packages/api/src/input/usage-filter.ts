import { CALL_STATUSES, CALL_TYPES, isName, isTagName, MAX_TAGS, TAG_VALUE_LIMITS } from "@usage-stats/core";
import * as z from "zod";
import { text } from "./wire-text.ts";

const listOf = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(MAX_LISTED);
const anyOf = <Item extends z.ZodType>(item: Item) => listOf(item).exactOptional();

/** How many values a list may have. */
export const MAX_LISTED = 100;

/** The lists of a filter, each of which matches any of its values. */
export const filterLists = {
  appDids: anyOf(text(256)).describe("Only calls of these apps."),
  providerIds: anyOf(text(256)).describe("Only calls to these providers."),
  models: anyOf(text(256)).describe("Only calls of these models."),
  types: anyOf(z.enum(CALL_TYPES)).describe("Only calls of these types."),
  status: anyOf(z.enum(CALL_STATUSES)).describe("Only calls that ended so."),
};

/** Keys of a user. */
export const keyIds = anyOf(text(128)).describe("Only calls by these API keys of the user.");

const tagLists = z
  .record(
    z.string().refine(isTagName, "the name of a tag"),
    listOf(
      z
        .string()
        .trim()
        .refine(
          (value) => isName(value, TAG_VALUE_LIMITS),
          `text of 1 to ${TAG_VALUE_LIMITS.maxBytes} bytes`,
        ),
    ),
  )
  .refine((tags) => {
    const { length } = Object.keys(tags);
    return length > 0 && length <= MAX_TAGS;
  }, `1 to ${MAX_TAGS} tags`)
  .exactOptional();

/** Calls must match every list that is given. */
export const callFilter = z.strictObject(filterLists).default({});

/** The same of what rollups know besides: keys, and the operator's tags, each with a list. */
export const usageFilter = z.strictObject({ ...filterLists, keyIds, tags: tagLists }).default({});
