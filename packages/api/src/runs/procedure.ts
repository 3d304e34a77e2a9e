import { getRunUsage, type RunUsage, type RunUsageQuery } from "@usage-stats/core";
import { allowFilter, resolveUser } from "@usage-stats/identity";
import { type Reaching } from "../context.ts";
import { procedure } from "../trpc.ts";
import { conversationUsageInput, runUsageInput } from "./input.ts";

/** What a run of one user cost, with all that it began. */
export const runUsage = procedure("runUsage")
  .input(runUsageInput)
  .query(({ ctx, input: { userDid, runId } }) => readRunUsage(ctx, userDid, { runId }));

/** What a conversation of one user cost. */
export const conversationUsage = procedure("conversationUsage")
  .input(conversationUsageInput)
  .query(({ ctx, input: { userDid, conversationId } }) => readRunUsage(ctx, userDid, { conversationId }));

/**
 * Answers what a user's run or conversation cost, always from the database: nothing of it is cached. Throws `forbidden` for another's, and
 * `number_too_large`.
 */
export async function readRunUsage(
  { ports, identity, costs, signal, size }: Reaching<"runReader", "identity" | "costs" | "signal" | "size">,
  userDid: string | undefined,
  of: RunUsageQuery["of"],
): Promise<RunUsage> {
  const query = { userDid: resolveUser(identity, userDid), filter: allowFilter(identity, {}), of };
  size?.addRuns();
  const { usage, cost } = await getRunUsage(ports.runReader, query, signal?.());
  costs.push(cost);
  return usage;
}
