import { type UsageStatsInput } from "@usage-stats/core";
import { type AllowedQuestion, answer } from "./answer.ts";
import { type AnswerFormat } from "./answer-formats.ts";
import { type AdmittedContext } from "./context.ts";
import { allowFilter, type Identity, requireScope, scopeOf } from "./identity.ts";

/** A question as somebody asks it; nobody has looked yet whether they may. */
export type AskedQuestion = {
  /** Whose usage; the asker's own where absent. */
  userDid?: string | undefined;
  question: Omit<UsageStatsInput, "userDid">;
  /** Have it answered by the database, whatever the cache says. */
  noCache: boolean;
};

type AskedOfAll = Omit<AskedQuestion, "userDid">;

/** Answers what somebody asks about one user, in a format. Throws `forbidden`, and what `answer` throws. */
export async function readUsage<Answer>(
  ctx: AdmittedContext,
  asked: AskedQuestion,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answer(ctx, allowUsage(ctx, asked), format);
}

/** Answers what somebody asks about all users together, in a format. Throws `forbidden`, and what `answer` throws. */
export async function readEveryonesUsage<Answer>(
  ctx: AdmittedContext,
  asked: AskedOfAll,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answer(ctx, allowEveryonesUsage(ctx, asked), format);
}

type Asker = { identity: Identity };

/** Allows one user's usage: the asker's own, or anyone's with `stats:read:any`. Throws `forbidden`. */
export function allowUsage({ identity }: Asker, asked: AskedQuestion): AllowedQuestion {
  return allow(identity, asked, scopeOf(identity, asked.userDid));
}

/** Allows the usage of all users together. Throws `forbidden`. */
export function allowEveryonesUsage({ identity }: Asker, asked: AskedOfAll): AllowedQuestion {
  requireScope(identity, "stats:read:any");
  return allow(identity, asked, null);
}

function allow(
  identity: Identity,
  { question, noCache }: AskedOfAll,
  userDid: string | null,
): AllowedQuestion {
  if (noCache) requireScope(identity, "admin", "noCache");
  const filter = allowFilter(identity, question.filter);
  return { question: { ...question, filter, userDid }, noCache };
}
