import { allowCalls, inRestTerms, readListCallsQuery } from "@usage-stats/api";
import { type CallReader, everyCall, listCalls } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { callsCsv } from "../csv/calls-csv.ts";
import { csvStream } from "../csv/csv-stream.ts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { createExportLimit } from "./export-limit.ts";
import { breakingOff } from "./breaking-off.ts";
import { type OnFailure } from "./on-failure.ts";
import { requestPorts, type SharedPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";
import { whenResponseEnds } from "./response-end.ts";

export type CallListPorts = SharedPorts & {
  shares: Shares;
  /** For exports: connections that searches cannot keep busy. */
  exportReader: CallReader;
  admit: Admit;
  onFailure: OnFailure;
};

const EXPORT_PAGE = 2_000;
/** Nobody can have all of them. */
const EXPORTS = { most: 4, mostOfOne: 2 };

/** Calls one by one: a page at a time as JSON, or all of them as CSV. */
export function callListRoutes(ports: CallListPorts): Hono<AppEnv> {
  const { exportReader, admit, onFailure } = ports;
  const routes = new Hono<AppEnv>();
  const exports = createExportLimit(EXPORTS);

  routes.get("/model-calls", async (context) => {
    const identity = await admit(context, "GET /app/api/user/model-calls");
    const { timezone: _, bom: __, ...asked } = readListCallsQuery(queryOf(context), "list");
    const calls = allowCalls(identity, asked);
    const { callReader } = requestPorts(context, ports);
    const page = listCalls(callReader, calls, context.var.deadline.signal());
    return context.json(await page.catch(rethrowInRestTerms));
  });

  routes.get("/model-calls/export", async (context) => {
    const identity = await admit(context, "GET /app/api/user/model-calls/export");
    const { timezone, bom, ...asked } = readListCallsQuery(queryOf(context), "export");
    const calls = { ...allowCalls(identity, asked), withVoided: false, limit: EXPORT_PAGE };
    const csv = inRestTermsOr(() =>
      callsCsv(everyCall(exportReader, calls, context.req.raw.signal), timezone),
    );
    const headers = {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="model-calls.csv"`,
    };
    // Nobody would read a call of it.
    if (context.req.method === "HEAD") return context.body(null, 200, headers);
    whenResponseEnds(context, exports.enter(identity.subject));
    // What is wrong with the question is told before anything is sent.
    const first = await csv.next().catch(rethrowInRestTerms);
    const rest = breakingOff(context, csv, onFailure);
    return context.body(csvStream([bom ? BYTE_ORDER_MARK : "", first.value ?? ""], rest), 200, headers);
  });

  return routes;
}

function queryOf(context: Context): URLSearchParams {
  return new URL(context.req.url).searchParams;
}

function inRestTermsOr<Result>(make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    return rethrowInRestTerms(error);
  }
}

function rethrowInRestTerms(error: unknown): never {
  throw inRestTerms(error);
}
