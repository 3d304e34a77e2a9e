import {
  type AnswerFormat,
  readEveryonesUsage,
  readUsage,
  readUsageStatsQuery,
  REST_JSON,
  type Unauthorized,
} from "@usage-stats/api";
import { type Payload, type UsageStatsQuery } from "@usage-stats/core";
import { type Context, type Hono } from "hono";
import { accepts } from "hono/accepts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { type AppEnv } from "../http/http-request.ts";
import { representationsOf } from "../http/representations.ts";
import { sendRepresentation } from "../http/send-representation.ts";
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

const JSON_FORM = { type: "application/json", vary: "accept, accept-encoding" };
const CSV_FORM = { type: "text/csv; charset=utf-8", vary: "accept, accept-encoding" };

async function sendUsage(
  context: Context<AppEnv>,
  whose: "one" | "everyone",
  read: (asked: Unauthorized<UsageStatsQuery>, format: AnswerFormat<Payload>) => Promise<Payload>,
): Promise<Response> {
  const form = wantsCsv(context) ? "csv" : "json";
  const { bom, ...asked } = readUsageStatsQuery(queryOf(context), form, whose);
  if (form === "json")
    return sendRepresentation(context, representationsOf(await read(asked, REST_JSON)), JSON_FORM);
  const csv = await read(asked, USAGE_CSV);
  return sendRepresentation(context, representationsOf(bom ? withByteOrderMark(csv) : csv), CSV_FORM);
}

/** Another text than the one that is kept, and compressed each time: nothing is kept of it. */
function withByteOrderMark({ bytes }: Payload): Payload {
  return { bytes: new Uint8Array(Buffer.concat([Buffer.from(BYTE_ORDER_MARK), bytes])) };
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
