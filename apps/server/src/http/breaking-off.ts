import { type HttpBindings } from "@hono/node-server";
import { type Context } from "hono";
import { type OnFailure } from "../failures/failure-log.ts";
import { type AppEnv } from "./http-request.ts";

/**
 * The rest of an answer that has begun. Where it fails, that is told, unless nobody reads it any more, and the connection is cut: Node's
 * adapter would log the error whole, and send its message as the answer's end.
 */
export async function* breakingOff(
  context: Context<AppEnv>,
  rest: AsyncGenerator<string>,
  onFailure: OnFailure,
): AsyncGenerator<string, undefined> {
  try {
    yield* rest;
  } catch (error) {
    const { requestId, operation = "an answer" } = context.get("request");
    if (!context.req.raw.signal.aborted) onFailure({ error, requestId, operation, midway: true });
    const { outgoing } = context.env as Partial<HttpBindings>;
    if (outgoing === undefined) throw new Error("The answer broke off.", { cause: error });
    outgoing.destroy();
    // Nobody waits any more.
    await new Promise<never>(() => {});
  }
}
