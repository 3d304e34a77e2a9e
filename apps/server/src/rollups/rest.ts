import { readBody, rebuildInput, startRebuild } from "@usage-stats/api";
import { type Hono } from "hono";
import { type AppEnv } from "../http/http-request.ts";
import { readJsonText } from "../http/read-body-text.ts";
import { serveOperation } from "../http/serve-operation.ts";

/** Serves the rebuilding of rollups. */
export function rebuildRoute(app: Hono<AppEnv>): void {
  serveOperation(app, "POST /app/api/admin/rebuild", async (ctx, context) => {
    const input = readBody(rebuildInput, await readJsonText(context.req.raw));
    return context.json(await startRebuild(ctx, input), 202);
  });
}
