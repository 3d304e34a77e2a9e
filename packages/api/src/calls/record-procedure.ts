import * as z from "zod";
import { procedure } from "../trpc.ts";
import { recordCalls } from "./record-calls.ts";

/** Each call is looked at by itself: a bad one refuses no other, unless the recording is `atomic`. */
const recordInput = z.strictObject({
  calls: z.array(z.unknown()),
  atomic: z.boolean().default(false),
});

/** Records calls of anyone. */
export const record = procedure("modelCalls.record")
  .input(recordInput)
  .mutation(({ ctx, input }) => recordCalls(ctx, input));
