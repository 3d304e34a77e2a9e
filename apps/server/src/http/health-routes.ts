import { Hono } from "hono";
import { type AppEnv } from "./request-variables.ts";

/** Gives the reasons why requests should not be sent here; none when all is well. */
export type CheckReadiness = () => Promise<string[]>;

/** `/health`: the process answers. `/ready`: so does its database, with every migration applied. */
export function healthRoutes(checkReadiness: CheckReadiness): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get("/health", (context) => context.json({ status: "ok" }));
  routes.get("/ready", async (context) => {
    const reasons = await checkReadiness();
    return reasons.length === 0
      ? context.json({ status: "ready" })
      : context.json({ status: "not ready", reasons }, 503);
  });
  return routes;
}
