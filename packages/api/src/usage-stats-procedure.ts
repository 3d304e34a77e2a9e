import {
  allowEveryonesUsage,
  type AllowedQuestion,
  allowUsage,
  type AskedQuestion,
} from "./allowed-question.ts";
import { answer, type AnswerFormat, TRPC } from "./answer.ts";
import { type AdmittedContext } from "./context.ts";
import { askedOf, everyonesUsageStatsInput, usageStatsInput } from "./contract/usage-stats-input.ts";
import { procedure } from "./trpc.ts";

/** Usage of one user: the caller, or anyone for those who may read anyone's. */
export const usageStats = procedure("usageStats")
  .input(usageStatsInput)
  .query(({ ctx, input }) => readUsage(ctx, askedOf(input), TRPC));

/** Usage of all users together. */
export const adminUsageStats = procedure("admin.usageStats")
  .input(everyonesUsageStatsInput)
  .query(({ ctx, input }) => readEveryonesUsage(ctx, askedOf(input), TRPC));

/** Answers what somebody asks about one user, in a format. Throws `forbidden` for another's usage, and `batch_too_large`. */
export function readUsage<Answer>(
  ctx: AdmittedContext,
  asked: AskedQuestion,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answerWithin(ctx, allowUsage(ctx.identity, asked), format);
}

/** Answers what somebody asks about all users together, in a format. Throws as `readUsage` does. */
export function readEveryonesUsage<Answer>(
  ctx: AdmittedContext,
  asked: Omit<AskedQuestion, "userDid">,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  return answerWithin(ctx, allowEveryonesUsage(ctx.identity, asked), format);
}

async function answerWithin<Answer>(
  ctx: AdmittedContext,
  allowed: AllowedQuestion,
  format: AnswerFormat<Answer>,
): Promise<Answer> {
  ctx.size?.addSeries(allowed.question);
  return answer(ctx, allowed, format);
}
