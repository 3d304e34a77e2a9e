import { UsageStatsError } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { type CountRequest } from "./admit.ts";
import { allowOrigins } from "./allow-origins.ts";
import { callListRoutes, type ExportParts } from "../calls/rest.ts";
import { cloudEventsRoute } from "../ingest/cloud-events-route.ts";
import { type HealthParts, healthRoutes } from "./health-routes.ts";
import { modelCallsRoute } from "../ingest/model-calls-route.ts";
import { otlpRoute, type OtlpParts } from "../ingest/otlp-route.ts";
import { problem, refusalOf } from "./problem.ts";
import { type AppEnv } from "./http-request.ts";
import { beginRequest, createRequest, type RequestParts } from "./request-context.ts";
import { addHeaders } from "./response-headers.ts";
import { rankingRoutes } from "../ranking/rest.ts";
import { rebuildRoute } from "../rollups/rest.ts";
import { runRoutes } from "../runs/rest.ts";
import { usageRoutes, type UsageParts } from "../usage/rest.ts";
import { viewerTokenRoute } from "../viewer-tokens/rest.ts";
import { serveOperation } from "./serve-operation.ts";
import { trpcRoute } from "./trpc-route.ts";

/** What operators see of the server, in Prometheus's format. */
export type MetricsPage = { contentType: string; text(): Promise<string> };

export type HttpParts = RequestParts &
  ExportParts &
  OtlpParts &
  UsageParts &
  HealthParts & {
    metrics: MetricsPage;
    countRequest: CountRequest;
    /** Origins whose pages may read answers. */
    corsOrigins: readonly string[];
  };

// Long enough for what the client sends (8,000), and for a host's name.
const MAX_URL_LENGTH = 8_192;

/** Whoever watches over the server may ask as often as it likes. */
const UNCOUNTED: ReadonlySet<string> = new Set(["/health", "/ready"]);

const urlTooLong = new UsageStatsError(
  "url_too_long",
  `The URL is longer than ${MAX_URL_LENGTH} characters.`,
  {
    limit: String(MAX_URL_LENGTH),
  },
);
const nothingHere = new UsageStatsError("not_found", "There is nothing at this address.");

/** The whole HTTP surface: tRPC at `/trpc`, REST at `/app/api`, OTLP at `/v1/traces`, `/metrics`, `/health` and `/ready`. */
export function createApp(parts: HttpParts): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(async (context, next) => {
    const request = createRequest(context.env.begun ?? beginRequest(context, parts), parts);
    context.set("request", request);
    if (context.req.url.length > MAX_URL_LENGTH) context.res = problem(context, urlTooLong);
    else await next();
    request.deadline.end();
    if (!request.isCounted && !UNCOUNTED.has(context.req.path)) await countStray(context);
    addHeaders(context);
  });

  /** Whatever no handler has counted, having nothing to do with it. */
  async function countStray(context: Context<AppEnv>): Promise<void> {
    try {
      await parts.countRequest(context.get("request"), "stranger");
    } catch (refusal) {
      context.res = problem(context, refusal);
    }
  }

  if (parts.corsOrigins.length > 0) app.use(allowOrigins(parts.corsOrigins));
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed(context: Context<AppEnv>, methods) {
        const limit = methods.join(", ");
        context.header("allow", limit);
        const message = "There is nothing here for this method.";
        return problem(context, new UsageStatsError("method_not_allowed", message, { limit }));
      },
    }),
  );
  healthRoutes(app, parts);
  serveOperation(app, "GET /metrics", async (_, context) =>
    context.body(await parts.metrics.text(), 200, { "content-type": parts.metrics.contentType }),
  );
  usageRoutes(app, parts);
  rankingRoutes(app);
  rebuildRoute(app);
  viewerTokenRoute(app);
  modelCallsRoute(app, parts);
  callListRoutes(app, parts);
  runRoutes(app);
  cloudEventsRoute(app, parts);
  otlpRoute(app, parts);
  app.on(["GET", "POST"], "/trpc/*", trpcRoute("/trpc", parts));

  app.notFound((context) => problem(context, nothingHere));
  app.onError((error, context) => {
    const { requestId, operation } = context.get("request");
    // Whoever has left has ended the work, and is told nothing.
    if (refusalOf(error).status >= 500 && !context.req.raw.signal.aborted)
      // Never the address: anything may stand in it.
      parts.onFailure({ error, requestId, operation: operation ?? `${context.req.method} of something` });
    return problem(context, error);
  });
  return app;
}
