import { type GuardedOperation, inRestTerms } from "@usage-stats/api";
import { type Identity } from "@usage-stats/identity";
import { type Context, type Hono } from "hono";
import { type AppEnv, type HttpRequest } from "./http-request.ts";

/** Answers an operation for whoever may ask for it. */
export type Handler = (
  ctx: HttpRequest & { identity: Identity },
  context: Context<AppEnv>,
) => Response | Promise<Response>;

/** Serves an operation at the method and path that are its name, to nobody but those who may do it. */
export function serveOperation(
  app: Hono<AppEnv>,
  operation: Extract<GuardedOperation, `${string} ${string}`>,
  handle: Handler,
): void {
  const [method, path] = operation.split(" ") as [string, string];
  app.on(method, path, async (context) => {
    const request = context.get("request");
    const identity = await request.admit(operation);
    try {
      return await handle(Object.assign(request, { identity }), context);
    } catch (error) {
      // A query string has names of its own for what a query is made of; a body has the query's.
      throw method === "GET" ? inRestTerms(error) : error;
    }
  });
}

/** The query string of a request. */
export function queryOf(context: Context): URLSearchParams {
  return new URL(context.req.url).searchParams;
}
