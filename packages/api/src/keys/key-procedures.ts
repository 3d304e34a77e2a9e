import { actorOf } from "../audit.ts";
import { createKeyInput, revokeKeyInput, rotateKeyInput } from "../contract/api-key-input.ts";
import { procedure, router } from "../trpc.ts";
import { createKey, revokeKey, rotateKey } from "./manage-keys.ts";

/** What admins do with the API keys of machines. */
export const keys = router({
  create: procedure("admin.keys.create")
    .input(createKeyInput)
    .mutation(({ ctx, input }) => createKey(ctx, actorOf(ctx), input)),
  list: procedure("admin.keys.list").query(({ ctx }) => ctx.keys.list()),
  rotate: procedure("admin.keys.rotate")
    .input(rotateKeyInput)
    .mutation(({ ctx, input }) => rotateKey(ctx, actorOf(ctx), input)),
  revoke: procedure("admin.keys.revoke")
    .input(revokeKeyInput)
    .mutation(({ ctx, input }) => revokeKey(ctx, actorOf(ctx), input.id)),
});
