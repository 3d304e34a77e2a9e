import { type UsageStatsQuery } from "@usage-stats/core";
import { answer } from "./answer.ts";
import { type AnswerFormat } from "./answer-formats.ts";
import { type AdmittedContext, type Reaching } from "../context.ts";
import { refuseUndeclaredTags } from "../input/declared-tags.ts";
import { allowFilter, requireScope, resolveUser } from "@usage-stats/identity";

/** A query as somebody asks it: nobody has looked yet whether they may, and it is about themselves where it names nobody. */
export type Unauthorized<Query extends { userDid: string | null }> = Omit<Query, "userDid"> & {
  userDid?: string | undefined;
};

type AboutEveryone = Omit<UsageStatsQuery, "userDid">;

/** Answers what somebody asks about one user, in a format. Throws `forbidden`, and what `answer` throws. */
export async function readUsage<Answer>(
  ctx: AdmittedContext,
  asked: Unauthorized<UsageStatsQuery>,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answer(ctx, authorizeUsage(ctx, asked), format);
}

/** Answers what somebody asks about all users together, in a format. Throws `forbidden`, and what `answer` throws. */
export async function readEveryonesUsage<Answer>(
  ctx: AdmittedContext,
  asked: AboutEveryone,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answer(ctx, authorizeEveryonesUsage(ctx, asked), format);
}

/** Who asks, and which tags there are. */
export type Asker = Reaching<"recordLimits", "identity">;

/** Resolves one user's usage: the asker's own, or anyone's with `stats:read:any`. Throws `forbidden`, and `invalid_option` for a tag that there is not. */
export function authorizeUsage(asker: Asker, asked: Unauthorized<UsageStatsQuery>): UsageStatsQuery {
  return authorizeQuery(asker, asked, resolveUser(asker.identity, asked.userDid));
}

/** Resolves the usage of all users together. Throws the same. */
export function authorizeEveryonesUsage(asker: Asker, asked: AboutEveryone): UsageStatsQuery {
  requireScope(asker.identity, "stats:read:any");
  return authorizeQuery(asker, asked, null);
}

function authorizeQuery(
  { identity, ports }: Asker,
  asked: AboutEveryone,
  userDid: string | null,
): UsageStatsQuery {
  if (asked.noCache === true) requireScope(identity, "admin", "noCache");
  refuseUndeclaredTags(asked, ports.recordLimits.tags);
  return { ...asked, filter: allowFilter(identity, asked.filter), userDid };
}
