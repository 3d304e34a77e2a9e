import { Hono } from "hono";
import { type Admit } from "./admit.ts";
import { type AppEnv } from "./request-variables.ts";

export type Metrics = { contentType: string; text(): Promise<string> };

/** `/metrics` for Prometheus, with an admin's token: how much is asked of a gateway is nobody else's business. */
export function metricsRoute(ports: { metrics: Metrics; admit: Admit }): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get("/metrics", async (context) => {
    await ports.admit(context, "GET /metrics");
    return context.body(await ports.metrics.text(), 200, { "content-type": ports.metrics.contentType });
  });
  return routes;
}
