import { type UsageStatsQuery } from "@usage-stats/core";
import { answer } from "./answer.ts";
import { type AnswerFormat } from "./answer-formats.ts";
import { type AdmittedContext } from "../context.ts";
import { allowFilter, type Identity, requireScope, resolveUser } from "@usage-stats/identity";

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

type Asker = { identity: Identity };

/** Resolves one user's usage: the asker's own, or anyone's with `stats:read:any`. Throws `forbidden`. */
export function authorizeUsage({ identity }: Asker, asked: Unauthorized<UsageStatsQuery>): UsageStatsQuery {
  return authorizeQuery(identity, asked, resolveUser(identity, asked.userDid));
}

/** Resolves the usage of all users together. Throws `forbidden`. */
export function authorizeEveryonesUsage({ identity }: Asker, asked: AboutEveryone): UsageStatsQuery {
  requireScope(identity, "stats:read:any");
  return authorizeQuery(identity, asked, null);
}

function authorizeQuery(identity: Identity, asked: AboutEveryone, userDid: string | null): UsageStatsQuery {
  if (asked.noCache === true) requireScope(identity, "admin", "noCache");
  return { ...asked, filter: allowFilter(identity, asked.filter), userDid };
}
