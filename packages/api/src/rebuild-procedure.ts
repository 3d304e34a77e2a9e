import { type Rebuilder, type RebuildPlan } from "@usage-stats/core";
import { type z } from "zod";
import { rebuildInput, rebuildScope } from "./contract/rebuild-input.ts";
import { procedure } from "./trpc.ts";

/** What is to be replaced, and whether that has begun: a dry run begins nothing. */
export type RebuildAnswer = RebuildPlan & { started: boolean };

/** Makes rollups anew from their calls; answers at once, while a worker does the rest. */
export const rebuild = procedure("admin.rebuild")
  .input(rebuildInput)
  .mutation(({ ctx, input }) => startRebuild(ctx.rebuilder, input));

export async function startRebuild(
  rebuilder: Rebuilder,
  input: z.output<typeof rebuildInput>,
): Promise<RebuildAnswer> {
  const scope = rebuildScope(input);
  const plan = await rebuilder.plan(scope);
  if (!input.dryRun) await rebuilder.start(scope);
  return { ...plan, started: !input.dryRun };
}
