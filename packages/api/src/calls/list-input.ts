import * as z from "zod";
import { originNames, originTags } from "../input/call-origin.ts";
import { instant } from "../input/instant.ts";
import { pageCursor, pageLimit, searchText } from "../input/page-input.ts";
import { callFilter } from "../input/usage-filter.ts";
import { userName } from "../input/wire-text.ts";

/** What `modelCalls.list` takes. */
export const listCallsInput = z.strictObject({
  /** Whose calls; the caller's own where absent. */
  userDid: userName.optional(),
  from: instant,
  to: instant,
  filter: callFilter,
  ...originNames,
  /** Only calls that have each of these tags. */
  tags: originTags,
  /** Text that the id, the request's or trace's id, the model or the reason of an error holds, in whatever case. */
  search: searchText,
  minDurationMs: z
    .int()
    .min(0)
    .max(1e12)
    .optional()
    .transform((duration) => duration ?? null),
  limit: pageLimit,
  cursor: pageCursor,
});

export type ListCallsInput = z.input<typeof listCallsInput>;
