import { type ListCallsInput } from "@usage-stats/core";
import * as z from "zod";
import { instant, text, usageFilter, userName, withoutUndefined } from "./usage-stats-input.ts";

/** What `modelCalls.list` takes. */
export const listCallsInput = z.strictObject({
  /** Whose calls; the caller's own where absent. */
  userDid: userName.optional(),
  from: instant,
  to: instant,
  filter: usageFilter,
  /** Text that the id, the request's or trace's id, the model or the reason of an error holds, in whatever case. */
  search: text(256).optional(),
  minDurationMs: z.int().min(0).max(1e12).optional(),
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(4096).optional(),
});

export type ListCallsRequest = z.input<typeof listCallsInput>;

/** Calls as somebody asks for them; nobody has looked yet whether they may. */
export type AskedCalls = Omit<ListCallsInput, "userDid"> & { userDid?: string | undefined };

/** Reads what the schema let through. */
export function askedCallsOf(input: z.output<typeof listCallsInput>): AskedCalls {
  const { userDid, from, to, filter, search, minDurationMs, limit, cursor } = input;
  return {
    userDid,
    from: new Date(from),
    to: new Date(to),
    filter: withoutUndefined(filter),
    search: search ?? null,
    minDurationMs: minDurationMs ?? null,
    withVoided: true,
    limit,
    ...(cursor !== undefined && { cursor }),
  };
}
