import { type UsageStatsInput } from "@usage-stats/core";
import { allowFilter, type Identity, requireScope, scopeOf } from "./identity.ts";

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

/** One user's usage: the asker's own, or anyone's with `stats:read:any`. Throws `forbidden`. */
export function allowUsage(identity: Identity, asked: AskedQuestion): AllowedQuestion {
  return allow(identity, asked, scopeOf(identity, asked.userDid));
}

/** The usage of all users together. Throws `forbidden`. */
export function allowEveryonesUsage(
  identity: Identity,
  asked: Omit<AskedQuestion, "userDid">,
): AllowedQuestion {
  requireScope(identity, "stats:read:any");
  return allow(identity, asked, null);
}

function allow(
  identity: Identity,
  { question, noCache }: AskedQuestion,
  userDid: string | null,
): AllowedQuestion {
  if (noCache) requireScope(identity, "admin", "noCache");
  const filter = allowFilter(identity, question.filter);
  return { question: { ...question, filter, userDid }, noCache };
}
