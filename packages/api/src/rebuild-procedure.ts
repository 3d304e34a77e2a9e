import { type AuditLog, type Clock, type Rebuilder, type RebuildPlan } from "@usage-stats/core";
import type * as z from "zod";
import { type Actor, actionOf, actorOf } from "./audit.ts";
import { rebuildInput } from "./contract/rebuild-input.ts";
import { procedure } from "./trpc.ts";

/** What is to be replaced, and whether that has begun: a dry run begins nothing. */
export type RebuildAnswer = RebuildPlan & { started: boolean };

/** Makes rollups anew from their calls; answers at once, while a worker does the rest. */
export const rebuild = procedure("admin.rebuild")
  .input(rebuildInput)
  .mutation(({ ctx, input }) => startRebuild(ctx, actorOf(ctx), input));

/** Begins a rebuild, recorded first. */
export async function startRebuild(
  { rebuilder, audit, clock }: { rebuilder: Rebuilder; audit: AuditLog; clock: Clock },
  actor: Actor,
  { scope, dryRun }: z.output<typeof rebuildInput>,
): Promise<RebuildAnswer> {
  const plan = await rebuilder.plan(scope);
  if (!dryRun) {
    const target = scope.userDid === undefined ? "all rollups" : `rollups of ${scope.userDid}`;
    await audit.record(actionOf(actor, clock.now(), "rebuild", target, { ...scope.range }));
    await rebuilder.start(scope);
  }
  return { ...plan, started: !dryRun };
}
