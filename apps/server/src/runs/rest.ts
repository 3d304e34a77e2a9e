import { readConversationUsageQuery, readRunUsage, readRunUsageQuery } from "@usage-stats/api";
import { type Hono } from "hono";
import { type AppEnv } from "../http/http-request.ts";
import { queryOf, serveOperation } from "../http/serve-operation.ts";

/** Serves what a run with all that it began, and a conversation, cost. */
export function runRoutes(app: Hono<AppEnv>): void {
  serveOperation(app, "GET /app/api/user/runs/:runId", async (ctx, context) => {
    const { userDid, runId } = readRunUsageQuery(queryOf(context), context.req.param("runId") ?? "");
    return context.json(await readRunUsage(ctx, userDid, { runId }));
  });

  serveOperation(app, "GET /app/api/user/conversations/:conversationId", async (ctx, context) => {
    const sent = context.req.param("conversationId") ?? "";
    const { userDid, conversationId } = readConversationUsageQuery(queryOf(context), sent);
    return context.json(await readRunUsage(ctx, userDid, { conversationId }));
  });
}
