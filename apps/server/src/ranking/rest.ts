import { rank, readUsageRankingQuery } from "@usage-stats/api";
import { RANKED_BY } from "@usage-stats/core";
import { type Hono } from "hono";
import { type AppEnv } from "../http/http-request.ts";
import { queryOf, serveOperation } from "../http/serve-operation.ts";

/** Serves the rankings of users, apps and models. */
export function rankingRoutes(app: Hono<AppEnv>): void {
  for (const by of RANKED_BY)
    serveOperation(app, `GET /app/api/admin/usage-by/${by}`, async (ctx, context) =>
      context.json(await rank(ctx, readUsageRankingQuery(by, queryOf(context)))),
    );
}
