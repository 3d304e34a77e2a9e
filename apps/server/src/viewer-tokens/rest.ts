import { issueViewerToken, readBody, viewerTokenInput } from "@usage-stats/api";
import { type Hono } from "hono";
import { type AppEnv } from "../http/http-request.ts";
import { readJsonText } from "../http/read-body-text.ts";
import { serveOperation } from "../http/serve-operation.ts";

/** Serves the making of viewer tokens. */
export function viewerTokenRoute(app: Hono<AppEnv>): void {
  serveOperation(app, "POST /app/api/viewer-tokens", async (ctx, context) => {
    const input = readBody(viewerTokenInput, await readJsonText(context.req.raw));
    return context.json(await issueViewerToken(ctx, input), 201);
  });
}
