import {
  type AnswerFormat,
  readEveryonesUsage,
  readUsage,
  readUsageStatsQuery,
  REST_JSON,
  type Unauthorized,
} from "@usage-stats/api";
import { type UsageStatsQuery } from "@usage-stats/core";
import { type Context, type Hono } from "hono";
import { accepts } from "hono/accepts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { type AppEnv } from "../http/http-request.ts";
import { sendJson } from "../http/response-headers.ts";
import { queryOf, serveOperation } from "../http/serve-operation.ts";
import { USAGE_CSV } from "./usage-csv.ts";

/** Serves usage as existing front ends ask for it, as JSON or as CSV: one user's, and that of all users together. */
export function usageRoutes(app: Hono<AppEnv>): void {
  serveOperation(app, "GET /app/api/user/usage-stats", (ctx, context) =>
    sendUsage(context, "one", (asked, format) => readUsage(ctx, asked, format)),
  );

  serveOperation(app, "GET /app/api/user/admin/user-stats", (ctx, context) =>
    sendUsage(context, "everyone", (asked, format) => readEveryonesUsage(ctx, asked, format)),
  );
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
