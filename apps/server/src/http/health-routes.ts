import { type Hono } from "hono";
import { type AppEnv } from "./http-request.ts";

/** Gives the reasons why requests should not be sent here; none when all is well. */
export type CheckReadiness = () => Promise<string[]>;

/** Gives what an operator should know although requests may well be sent here. */
type Notices = () => string[];

export type HealthParts = { checkReadiness: CheckReadiness; notices: Notices };

/** `/health`: the process answers. `/ready`: so does its database, with every migration applied. */
export function healthRoutes(app: Hono<AppEnv>, { checkReadiness, notices }: HealthParts): void {
  app.get("/health", (context) => context.json({ status: "ok" }));
  app.get("/ready", async (context) => {
    const reasons = await checkReadiness();
    const shown = notices();
    const beside = shown.length === 0 ? {} : { notices: shown };
    return reasons.length === 0
      ? context.json({ status: "ready", ...beside })
      : context.json({ status: "not ready", reasons, ...beside }, 503);
  });
}
