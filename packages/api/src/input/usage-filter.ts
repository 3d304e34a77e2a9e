import { CALL_STATUSES, CALL_TYPES } from "@usage-stats/core";
import * as z from "zod";
import { text } from "./wire-text.ts";

const anyOf = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(100).exactOptional();

/** The lists of a filter, each of which matches any of its values. */
export const filterLists = {
  appDids: anyOf(text(256)).describe("Only calls of these apps."),
  providerIds: anyOf(text(256)).describe("Only calls to these providers."),
  models: anyOf(text(256)).describe("Only calls of these models."),
  types: anyOf(z.enum(CALL_TYPES)).describe("Only calls of these types."),
  status: anyOf(z.enum(CALL_STATUSES)).describe("Only calls that ended so."),
};

/** Calls must match every list that is given. */
export const usageFilter = z.strictObject(filterLists).default({});
