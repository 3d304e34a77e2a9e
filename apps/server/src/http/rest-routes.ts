import {
  type AnswerFormat,
  issueViewerToken,
  rank,
  readBody,
  readEveryonesUsage,
  readUsage,
  readUsageRankingQuery,
  readUsageStatsQuery,
  rebuildInput,
  REST_JSON,
  startRebuild,
  type Unauthorized,
  viewerTokenInput,
} from "@usage-stats/api";
import { RANKED_BY, type UsageStatsQuery } from "@usage-stats/core";
import { type Context, type Hono } from "hono";
import { accepts } from "hono/accepts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { USAGE_CSV } from "../csv/usage-csv.ts";
import { readJsonText } from "./read-body-text.ts";
import { type AppEnv } from "./http-request.ts";
import { sendJson } from "./response-headers.ts";
import { queryOf, serveOperation } from "./serve-operation.ts";

const MAX_BODY_BYTES = 10_000;

/** The HTTP endpoints that existing front ends call. */
export function restRoutes(app: Hono<AppEnv>): void {
  serveOperation(app, "GET /app/api/user/usage-stats", (ctx, context) =>
    sendUsage(context, "one", (asked, format) => readUsage(ctx, asked, format)),
  );

  serveOperation(app, "GET /app/api/user/admin/user-stats", (ctx, context) =>
    sendUsage(context, "everyone", (asked, format) => readEveryonesUsage(ctx, asked, format)),
  );

  for (const by of RANKED_BY)
    serveOperation(app, `GET /app/api/admin/usage-by/${by}`, async (ctx, context) =>
      context.json(await rank(ctx, readUsageRankingQuery(by, queryOf(context)))),
    );

  serveOperation(app, "POST /app/api/admin/rebuild", async (ctx, context) => {
    const input = readBody(rebuildInput, await readJsonText(context.req.raw, MAX_BODY_BYTES));
    return context.json(await startRebuild(ctx, input), 202);
  });

  serveOperation(app, "POST /app/api/viewer-tokens", async (ctx, context) => {
    const input = readBody(viewerTokenInput, await readJsonText(context.req.raw, MAX_BODY_BYTES));
    return context.json(await issueViewerToken(ctx, input), 201);
  });
}

type Bytes = Uint8Array<ArrayBuffer>;

async function sendUsage(
  context: Context<AppEnv>,
  whose: "one" | "everyone",
  read: (asked: Unauthorized<UsageStatsQuery>, format: AnswerFormat<Bytes>) => Promise<Bytes>,
): Promise<Response> {
  const form = wantsCsv(context) ? "csv" : "json";
  const { bom, ...asked } = readUsageStatsQuery(queryOf(context), form, whose);
  if (form === "json") return sendJson(context.get("request"), await read(asked, REST_JSON));
  const csv = await read(asked, USAGE_CSV);
  return context.body(bom ? Buffer.concat([Buffer.from(BYTE_ORDER_MARK), csv]) : csv, 200, {
    "content-type": "text/csv; charset=utf-8",
    vary: "accept",
  });
}

/** Whoever takes anything gets JSON, as ever. */
function wantsCsv(context: Context): boolean {
  const accepted = context.req.header("accept");
  if (accepted === undefined || !accepted.includes("text/csv")) return false;
  return (
    accepts(context, {
      header: "Accept",
      supports: ["application/json", "text/csv"],
      default: "application/json",
    }) === "text/csv"
  );
}
