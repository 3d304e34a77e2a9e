import { type RebuildPlan } from "@usage-stats/core";
import type * as z from "zod";
import { actionOf, actorOf } from "../audit.ts";
import { type AdmittedContext } from "../context.ts";
import { rebuildInput } from "./input.ts";
import { procedure } from "../trpc.ts";

/** What is to be replaced, and whether that has begun: a dry run begins nothing. */
export type RebuildAnswer = RebuildPlan & { started: boolean };

/** Makes rollups anew from their calls; answers at once, while a worker does the rest. */
export const rebuild = procedure("admin.rebuild")
  .input(rebuildInput)
  .mutation(({ ctx, input }) => startRebuild(ctx, input));

/** Begins a rebuild, recorded first. */
export async function startRebuild(
  ctx: AdmittedContext,
  { scope, dryRun }: z.output<typeof rebuildInput>,
): Promise<RebuildAnswer> {
  const { rebuilder, audit } = ctx.ports;
  const plan = await rebuilder.plan(scope);
  if (!dryRun) {
    const target = scope.userDid === undefined ? "all rollups" : `rollups of ${scope.userDid}`;
    await audit.record(actionOf(actorOf(ctx), ctx.now, "rebuild", target, { ...scope.range }));
    await rebuilder.start(scope);
  }
  return { ...plan, started: !dryRun };
}
