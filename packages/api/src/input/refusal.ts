import { UsageStatsError } from "@usage-stats/core";
import * as z from "zod";

/**
 * Makes a transform of a reader that may throw `UsageStatsError`, which becomes an issue like any other: what schemas find wrong by
 * themselves has no code of its own and no limit.
 */
export function orRefuse<In, Out>(read: (value: In) => Out): (value: In, context: z.RefinementCtx) => Out {
  return (value, context) => {
    try {
      return read(value);
    } catch (error) {
      if (!(error instanceof UsageStatsError)) throw error;
      context.issues.push({
        code: "custom",
        input: value,
        message: error.message,
        params: { refusal: error },
      });
      return z.NEVER;
    }
  };
}

/** The error that a reader threw, where it is what the issue stands for. */
export function refusalOfIssue(issue: z.core.$ZodIssue): UsageStatsError | null {
  const refusal: unknown = issue.code === "custom" ? issue.params?.["refusal"] : undefined;
  return refusal instanceof UsageStatsError ? refusal : null;
}
