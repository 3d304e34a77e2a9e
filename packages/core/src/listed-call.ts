import { type CallTags } from "./call-tags.ts";
import { type UsageFilter } from "./group-by.ts";
import { type ModelCall } from "./model-call.ts";
import { type TimeRange } from "./range.ts";

/** A call as it is now, and since when it counts nowhere (`null` for one that counts). */
export type ListedCall = ModelCall & { voidedAt: Date | null };

/** Where calls came from: by just this key, in just this run and conversation, with these tags among theirs. `null` is any. */
export type CallOrigin = {
  keyId: string | null;
  runId: string | null;
  conversationId: string | null;
  tags: Readonly<CallTags> | null;
};

export const ANY_ORIGIN: CallOrigin = { keyId: null, runId: null, conversationId: null, tags: null };

/** Which calls, newest first. Every condition that is given must hold. */
export type ListCallsQuery = TimeRange & {
  /** `null` asks for everyone's; who may do so is decided before. */
  userDid: string | null;
  filter: UsageFilter;
  origin: CallOrigin;
  /** Text that the id, the request's or trace's id, the model or the reason of an error holds, in whatever case. */
  search: string | null;
  minDurationMs: number | null;
  /** Whether calls that were voided are among them. */
  withVoided: boolean;
  limit: number;
  cursor?: string;
};

export type CallList = { items: ListedCall[]; nextCursor: string | null };

/** Where a page of calls ended: of the same instant the smaller id comes later, then the smaller user. */
export type CallPlace = { callTime: Date; id: string; userDid: string };

/** A query to the database about calls; `after` is `null` for the newest ones. */
export type CallPageQuery = Omit<ListCallsQuery, "from" | "to" | "cursor"> & {
  range: TimeRange;
  after: CallPlace | null;
};

/** Reads calls one by one. Throws `unavailable`; or, when a `signal` aborts, its reason. */
export type CallReader = { readCalls(query: CallPageQuery, signal?: AbortSignal): Promise<ListedCall[]> };
