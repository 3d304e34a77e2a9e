import { UsageError } from "@usage-stats/core";
import { type Context, type Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { problem } from "./problem.ts";
import { type AppEnv } from "./request-context.ts";

/** Answers 405 and `Allow` where there is something at an address, but not by this method. */
export function refuseOtherMethods(app: Hono<AppEnv>): MiddlewareHandler {
  return methodNotAllowed({
    app,
    onMethodNotAllowed(context: Context, methods) {
      const limit = methods.join(", ");
      context.header("allow", limit);
      return problem(
        context,
        new UsageError("method_not_allowed", "There is nothing here for this method.", { limit }),
      );
    },
  });
}
