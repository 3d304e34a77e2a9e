import { type SharedCache } from "@usage-stats/cache";
import { type Context, Hono } from "hono";
import { type Arrive } from "./admit.ts";
import { allowOrigins } from "./allow-origins.ts";
import { cloudEventsRoutes } from "./cloud-events-routes.ts";
import { type CheckReadiness, healthRoutes, type Notices } from "./health-routes.ts";
import { type Metrics, metricsRoute } from "./metrics-route.ts";
import { otlpRoute, type OtlpPorts } from "./otlp-route.ts";
import { type Problem, problem, problemOf } from "./problem.ts";
import { type AppEnv } from "./request-variables.ts";
import { callListRoutes } from "./call-list-routes.ts";
import { modelCallsRoutes } from "./model-calls-routes.ts";
import { refuseOtherMethods } from "./refuse-other-methods.ts";
import { addHeaders, headersOf } from "./response-headers.ts";
import { startRequestDeadline } from "./request-deadline.ts";
import { restRoutes } from "./rest-routes.ts";
import { trpcRoute, type TrpcPorts } from "./trpc-route.ts";

export type AppPorts = TrpcPorts &
  OtlpPorts & {
    cache: SharedCache | null;
    metrics: Metrics;
    checkReadiness: CheckReadiness;
    arrive: Arrive;
    notices: Notices;
    /** How long a request may wait for everything together. */
    requestDeadlineMs: number;
    /** Origins whose pages may read answers. */
    corsOrigins: readonly string[];
  };

// Long enough for what the client sends (8,000), and for a host's name.
const MAX_URL_LENGTH = 8_192;

/** Whoever watches over the server may ask as often as it likes. */
const UNCOUNTED: ReadonlySet<string> = new Set(["/health", "/ready"]);

const URL_TOO_LONG: Problem = {
  status: 414,
  title: "URL too long",
  code: "url_too_long",
  detail: `The URL is longer than ${MAX_URL_LENGTH} characters.`,
  limit: String(MAX_URL_LENGTH),
};

/** The whole HTTP surface: tRPC at `/trpc`, REST at `/app/api`, OTLP at `/v1/traces`, `/metrics`, `/health` and `/ready`. */
export function createApp(ports: AppPorts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(async (context, next) => {
    const deadline = startRequestDeadline(ports.requestDeadlineMs, () => context.req.raw.signal);
    context.set("deadline", deadline);
    context.set("requestId", crypto.randomUUID());
    context.set("costs", []);
    context.set("cache", ports.cache?.forRequest(deadline.signal) ?? null);
    context.set("headersOf", () => headersOf(context, ports.clock));
    if (context.req.url.length > MAX_URL_LENGTH) context.res = problem(context, URL_TOO_LONG);
    else await next();
    deadline.end();
    if (!context.get("isCounted") && !UNCOUNTED.has(context.req.path)) await countStray(context);
    addHeaders(context);
  });

  /** Whatever no handler has counted, having nothing to do with it. */
  async function countStray(context: Context<AppEnv>): Promise<void> {
    try {
      await ports.arrive(context, "stranger");
    } catch (refusal) {
      const told = problemOf(refusal);
      context.set("retryAfterSeconds", told.retryAfterSeconds);
      context.res = problem(context, told);
    }
  }

  if (ports.corsOrigins.length > 0) app.use(allowOrigins(ports.corsOrigins));
  app.use(refuseOtherMethods(app));
  app.route("/", healthRoutes(ports.checkReadiness, ports.notices));
  app.route("/", metricsRoute(ports));
  app.route("/app/api", restRoutes(ports));
  app.route("/app/api", modelCallsRoutes(ports));
  app.route("/app/api/user", callListRoutes(ports));
  app.route("/app/api", cloudEventsRoutes(ports));
  app.route("/", otlpRoute(ports));
  app.on(["GET", "POST"], "/trpc/*", trpcRoute("/trpc", ports));

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
    // Whoever has left has ended the work, and is told nothing.
    if (told.status >= 500 && !context.req.raw.signal.aborted)
      ports.onFailure({ error, requestId: context.get("requestId"), operation: operationOf(context) });
    return problem(context, told);
  });
  return app;
}

/** Never the address: anything may stand in it. */
function operationOf(context: Context<AppEnv>): string {
  return context.get("operation") ?? `${context.req.method} of something`;
}
