import { authorizeCalls, readCallList, readListCallsQuery } from "@usage-stats/api";
import { type CallReader, everyCall } from "@usage-stats/core";
import { type Context, type Hono } from "hono";
import { callsCsv } from "./calls-csv.ts";
import { csvStream } from "../csv/csv-stream.ts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { type OnFailure } from "../failures/failure-log.ts";
import { breakingOff } from "../http/breaking-off.ts";
import { createExportLimit } from "./export-limit.ts";
import { type AppEnv } from "../http/http-request.ts";
import { queryOf, serveOperation } from "../http/serve-operation.ts";

export type ExportParts = {
  /** For exports: connections that searches cannot keep busy. */
  exportReader: CallReader;
  onFailure: OnFailure;
};

const EXPORT_PAGE = 2_000;
/** Nobody can have all of them. */
const EXPORTS = { most: 4, mostOfOne: 2 };

/** Calls one by one: a page at a time as JSON, or all of them as CSV. */
export function callListRoutes(app: Hono<AppEnv>, { exportReader, onFailure }: ExportParts): void {
  const exports = createExportLimit(EXPORTS);

  serveOperation(app, "GET /app/api/user/model-calls", async (ctx, context) => {
    const { timezone: _, bom: __, ...asked } = readListCallsQuery(queryOf(context), "list");
    return context.json(await readCallList(ctx, asked));
  });

  serveOperation(app, "GET /app/api/user/model-calls/export", async (ctx, context) => {
    const { timezone, bom, ...asked } = readListCallsQuery(queryOf(context), "export");
    const calls = { ...authorizeCalls(ctx, asked), withVoided: false, limit: EXPORT_PAGE };
    const csv = callsCsv(everyCall(exportReader, calls, context.req.raw.signal), timezone);
    const headers = {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="model-calls.csv"`,
    };
    // Nobody would read a call of it.
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    whenResponseEnds(context, exports.enter(ctx.identity.subject));
    // What is wrong with the query is told before anything is sent.
    const first = await csv.next();
    const rest = breakingOff(context, csv, onFailure);
    return context.body(csvStream([bom ? BYTE_ORDER_MARK : "", first.value ?? ""], rest), 200, headers);
  });
}

/**
 * Calls `release` once the response is over: taken to its end, broken off, or never sent. Whatever a handler holds while it
 * answers is released by this, and not by the end of a body's stream: HEAD has no body, so that nobody reads or cancels it.
 */
function whenResponseEnds({ env: { outgoing } }: Context<AppEnv>, release: () => void): void {
  if (outgoing.closed) release();
  else outgoing.once("close", release);
}
