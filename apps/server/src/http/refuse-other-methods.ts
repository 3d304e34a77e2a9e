import { type Context, type Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { problem } from "./problem.ts";
import { type AppEnv } from "./request-variables.ts";

/** Answers 405 and `Allow` where there is something at an address, but not by this method. */
export function refuseOtherMethods(app: Hono<AppEnv>): MiddlewareHandler {
  return methodNotAllowed({
    app,
    onMethodNotAllowed(context: Context, methods) {
      const allow = methods.join(", ");
      const response = problem(context, {
        status: 405,
        title: "Method not allowed",
        code: "method_not_allowed",
        detail: "There is nothing here for this method.",
        limit: allow,
      });
      response.headers.set("allow", allow);
      return response;
    },
  });
}
