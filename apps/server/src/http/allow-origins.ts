import { type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { type AppEnv } from "./http-request.ts";

/**
 * Lets pages of some origins, exactly as they are listed, read answers (CORS). Never with cookies: they bring a bearer token, such
 * as a viewer token.
 */
export function allowOrigins(origins: readonly string[]): MiddlewareHandler<AppEnv> {
  const allow = cors({
    origin: [...origins],
    allowMethods: ["GET", "POST"],
    allowHeaders: ["authorization", "content-type", "if-none-match", "trpc-accept"],
    exposeHeaders: [
      "etag",
      "x-request-id",
      "cache-status",
      "server-timing",
      "retry-after",
      "ratelimit-remaining",
    ],
    maxAge: 600,
  });
  return (context, next) => (context.req.header("origin") === undefined ? next() : allow(context, next));
}
