import {
  BUCKETS,
  CALL_STATUSES,
  CALL_TYPES,
  GROUP_DIMENSIONS,
  MAX_GROUP_DIMENSIONS,
} from "@usage-stats/core";
import * as z from "zod";
import { type AskedQuestion } from "../allowed-question.ts";

/** An instant on the wire. */
export const instant = z.iso.datetime({
  offset: true,
  error: "an ISO 8601 instant with Z or an offset, such as 2026-01-31T00:00:00Z",
});

/** Text that a database can hold: no NUL, no half of a character. */
export const text = (maxLength: number) =>
  z
    .string()
    .min(1)
    .max(maxLength)
    .refine(
      (value) => !value.includes("\0") && value.isWellFormed(),
      "text without NUL or broken characters",
    );

/** A user's DID, as it comes from outside. */
export const userName = text(256);

const anyOf = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(100);

/** Calls must match every list that is given; a list matches any of its values. */
export const usageFilter = z
  .strictObject({
    appDids: anyOf(text(256)).optional(),
    providerIds: anyOf(text(256)).optional(),
    models: anyOf(text(256)).optional(),
    types: anyOf(z.enum(CALL_TYPES)).optional(),
    status: anyOf(z.enum(CALL_STATUSES)).optional(),
  })
  .default({});

/** What `usageStats` takes: plain JSON, because instants as ISO strings need no transformer that could be attacked. */
export const usageStatsInput = z.strictObject({
  /** Whose usage; the caller's own where absent. */
  userDid: userName.optional(),
  from: instant,
  to: instant,
  timezone: z.string().max(64).default("UTC"),
  bucket: z.enum(["auto", ...BUCKETS]).default("auto"),
  groupBy: z
    .array(z.enum(GROUP_DIMENSIONS))
    .max(MAX_GROUP_DIMENSIONS)
    .refine((dimensions) => new Set(dimensions).size === dimensions.length, "dimensions that differ")
    .default([]),
  filter: usageFilter,
  topN: z.int().min(1).max(100).default(5),
  compare: z.enum(["previous", "none"]).default("previous"),
  /** At most so many buckets a page. */
  limit: z.int().min(1).max(2500).optional(),
  cursor: z.string().max(2048).optional(),
  /** For admins: have the database answer, whatever the cache says. */
  noCache: z.boolean().default(false),
});

export type UsageStatsRequest = z.input<typeof usageStatsInput>;

/** The same about all users together. */
export const everyonesUsageStatsInput = usageStatsInput.omit({ userDid: true });

/** Reads what the schema let through. */
export function askedOf({
  userDid,
  noCache,
  from,
  to,
  limit,
  cursor,
  filter,
  ...rest
}: z.output<typeof everyonesUsageStatsInput> & { userDid?: string | undefined }): AskedQuestion {
  return {
    userDid,
    noCache,
    question: {
      ...rest,
      from: new Date(from),
      to: new Date(to),
      filter: withoutUndefined(filter),
      ...(limit !== undefined && { limit }),
      ...(cursor !== undefined && { cursor }),
    },
  };
}

/** Without the fields that zod leaves undefined. */
export function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as never;
}
