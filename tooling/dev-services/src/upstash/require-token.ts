import { createHash, timingSafeEqual } from "node:crypto";
import { type MiddlewareHandler } from "hono";

/** Lets through who brings `token`, as a bearer or as `?_token=`; answers others as the service does. */
export function requireToken(token: string): MiddlewareHandler {
  const expected = digest(token);
  return async (c, next) => {
    const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    // Of equal length, and compared in the same time wherever they differ.
    if (!timingSafeEqual(digest(bearer ?? c.req.query("_token") ?? ""), expected)) {
      return c.json({ error: "WRONGPASS invalid or missing auth token" }, 401);
    }
    return next();
  };
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
