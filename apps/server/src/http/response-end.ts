import { type Context } from "hono";
import { type AppEnv } from "./request-variables.ts";

/**
 * Calls `release` once the response is over: taken to its end, broken off, or never sent. Whatever a handler holds while it
 * answers is released by this, and not by the end of a body's stream: HEAD has no body, so that nobody reads or cancels it.
 */
export function whenResponseEnds({ env: { outgoing } }: Context<AppEnv>, release: () => void): void {
  if (outgoing.closed) release();
  else outgoing.once("close", release);
}
