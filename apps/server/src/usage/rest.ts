import {
  answer,
  authorizeEveryonesUsage,
  authorizeUsage,
  lookupOf,
  readUsageStatsQuery,
  REST_JSON,
  REST_JSON_WITH_SHARES,
} from "@usage-stats/api";
import { type Payload } from "@usage-stats/core";
import { type Identity } from "@usage-stats/identity";
import { type Context, type Hono } from "hono";
import { accepts } from "hono/accepts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { type AnsweredRequests } from "../http/answered-requests.ts";
import { type AppEnv, type HttpRequest } from "../http/http-request.ts";
import { representationsOf } from "../http/representations.ts";
import { sendRepresentation } from "../http/send-representation.ts";
import { queryOf, serveOperation } from "../http/serve-operation.ts";
import { USAGE_CSV } from "./usage-csv.ts";

export type UsageParts = { answered: AnsweredRequests };

/** Serves usage as existing front ends ask for it, as JSON or as CSV: one user's, and that of all users together. */
export function usageRoutes(app: Hono<AppEnv>, { answered }: UsageParts): void {
  serveOperation(app, "GET /app/api/user/usage-stats", (ctx, context) => sendUsage(ctx, context, "one"));
  serveOperation(app, "GET /app/api/user/admin/user-stats", (ctx, context) =>
    sendUsage(ctx, context, "everyone"),
  );

  async function sendUsage(
    ctx: Admitted,
    context: Context<AppEnv>,
    whose: "one" | "everyone",
  ): Promise<Response> {
    const form = wantsCsv(context) ? "csv" : "json";
    const { bom, withShares, ...asked } = readUsageStatsQuery(queryOf(context), form, whose);
    const query = whose === "one" ? authorizeUsage(ctx, asked) : authorizeEveryonesUsage(ctx, asked);
    if (form === "csv") {
      const csv = await answer(ctx, query, USAGE_CSV);
      return sendRepresentation(ctx, representationsOf(bom ? withByteOrderMark(csv) : csv), CSV_FORM);
    }
    const format = withShares ? REST_JSON_WITH_SHARES : REST_JSON;
    const json = await answer(ctx, query, format);
    if (isFromCache(ctx))
      answered.keep(ctx.identity, context.req.url, {
        operation: ctx.operation!,
        lookup: lookupOf(query, format)!,
        represent: representationsOf,
        form: JSON_FORM,
      });
    return sendRepresentation(ctx, representationsOf(json), JSON_FORM);
  }
}

type Admitted = HttpRequest & { identity: Identity };

const JSON_FORM = { type: "application/json", vary: "accept, accept-encoding" };
const CSV_FORM = { type: "text/csv; charset=utf-8", vary: "accept, accept-encoding" };

/** Whether the cache alone answered. */
function isFromCache({ cache, costs }: HttpRequest): boolean {
  return costs.length === 0 && cache?.report()?.outcome === "hit";
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
