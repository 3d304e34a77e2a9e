import { type CallStatus, type CallType } from "./model-call.ts";

export const GROUP_DIMENSIONS = ["app", "provider", "model", "type", "status"] as const;
export type GroupDimension = (typeof GROUP_DIMENSIONS)[number];
export const MAX_GROUP_DIMENSIONS = 2;

/** One value for each dimension asked for; `null` is a call that names no app. */
export type GroupKey = Partial<Record<GroupDimension, string | null>>;

/** Calls must match every list that is given; a list matches any of its values. */
export type UsageFilter = {
  appDids?: string[];
  providerIds?: string[];
  models?: string[];
  types?: CallType[];
  status?: CallStatus[];
};
