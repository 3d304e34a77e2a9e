import { type UsageStatsInput } from "@usage-stats/core";
import { type Identity, requireAdmin, scopeOf } from "./identity.ts";

/** A question as somebody asks it; nobody has looked yet whether they may. */
export type AskedQuestion = {
  /** Whose usage; the asker's own where absent. */
  userDid?: string | undefined;
  question: Omit<UsageStatsInput, "userDid">;
  /** Have it answered by the database, whatever the cache says. */
  noCache: boolean;
};

/** A question that its asker may ask. */
export type AllowedQuestion = { question: UsageStatsInput; noCache: boolean };

/** One user's usage: the asker's own, or for admins anyone's. Throws `forbidden`. */
export function allowUsage(identity: Identity, asked: AskedQuestion): AllowedQuestion {
  return allow(identity, asked, scopeOf(identity, asked.userDid));
}

/** The usage of all users together, for admins. Throws `forbidden`. */
export function allowEveryonesUsage(
  identity: Identity,
  asked: Omit<AskedQuestion, "userDid">,
): AllowedQuestion {
  requireAdmin(identity);
  return allow(identity, asked, null);
}

function allow(
  identity: Identity,
  { question, noCache }: AskedQuestion,
  userDid: string | null,
): AllowedQuestion {
  if (noCache) requireAdmin(identity, "noCache");
  return { question: { ...question, userDid }, noCache };
}
