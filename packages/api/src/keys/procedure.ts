import { actorOf } from "../audit.ts";
import { type AdmittedContext } from "../context.ts";
import { createKeyInput, revokeKeyInput, rotateKeyInput } from "./input.ts";
import { procedure, router } from "../trpc.ts";
import { createKey, type KeyContext, revokeKey, rotateKey } from "./manage-keys.ts";

/** What admins do with the API keys of machines. */
export const keys = router({
  create: procedure("admin.keys.create")
    .input(createKeyInput)
    .mutation(({ ctx, input }) => createKey(keyContext(ctx), input)),
  list: procedure("admin.keys.list").query(({ ctx }) => ctx.ports.keys.list()),
  rotate: procedure("admin.keys.rotate")
    .input(rotateKeyInput)
    .mutation(({ ctx, input }) => rotateKey(keyContext(ctx), input)),
  revoke: procedure("admin.keys.revoke")
    .input(revokeKeyInput)
    .mutation(({ ctx, input }) => revokeKey(keyContext(ctx), input)),
});

function keyContext(ctx: AdmittedContext): KeyContext {
  return { ports: ctx.ports, now: ctx.now, actor: actorOf(ctx) };
}
