import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { secureHeaders } from "hono/secure-headers";
import { type CheckReadiness, healthRoutes } from "./health-routes.ts";
import { problem, problemOf } from "./problem.ts";
import { type AppEnv } from "./request-variables.ts";
import { restRoutes, type RestPorts } from "./rest-routes.ts";
import { serverTiming } from "./server-timing.ts";
import { trpcRoute, type TrpcPorts } from "./trpc-route.ts";

export type AppPorts = RestPorts & TrpcPorts & { checkReadiness: CheckReadiness };

/** The whole HTTP surface: tRPC at `/trpc`, REST at `/app/api`, `/health` and `/ready`. */
export function createApp(ports: AppPorts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(requestId({ headerName: "" }), secureHeaders(), async (context, next) => {
    context.set("costs", []);
    await next();
    context.header("x-request-id", context.get("requestId"));
    context.header("cache-control", "private, no-store");
    const timing = serverTiming(context.get("costs"));
    if (timing !== undefined) context.header("server-timing", timing);
  });

  app.route("/", healthRoutes(ports.checkReadiness));
  app.route("/app/api", restRoutes(ports));
  app.all("/trpc/*", trpcRoute("/trpc", ports));

  app.notFound((context) =>
    problem(context, {
      status: 404,
      title: "Not found",
      code: "not_found",
      detail: "There is nothing at this address.",
    }),
  );
  app.onError((error, context) => {
    const told = problemOf(error);
    if (told.status === 500) ports.onUnknownError(error, context.get("requestId"));
    return problem(context, told);
  });
  return app;
}
