import { allowCalls, inRestTerms, readListCallsQuery } from "@usage-stats/api";
import { type CallReader, everyCall, listCalls } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { callsCsv } from "../csv/calls-csv.ts";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { createExportLimit } from "./export-limit.ts";
import { breakingOff } from "./breaking-off.ts";
import { type OnFailure } from "./on-failure.ts";
import { requestPorts, type SharedPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";

export type CallListPorts = SharedPorts & {
  shares: Shares;
  /** For exports: connections that searches cannot keep busy. */
  exportReader: CallReader;
  admit: Admit;
  onFailure: OnFailure;
};

const EXPORT_PAGE = 2_000;
const MOST_EXPORTS = 3;

/** Calls one by one: a page at a time as JSON, or all of them as CSV. */
export function callListRoutes(ports: CallListPorts): Hono<AppEnv> {
  const { exportReader, admit, onFailure } = ports;
  const routes = new Hono<AppEnv>();
  const exports = createExportLimit(MOST_EXPORTS);

  routes.get("/model-calls", async (context) => {
    const identity = await admit(context, "GET /app/api/user/model-calls");
    const { timezone: _, ...asked } = readListCallsQuery(queryOf(context), "list");
    const calls = allowCalls(identity, asked);
    const { callReader } = requestPorts(context, ports);
    const page = listCalls(callReader, calls, context.var.deadline.signal());
    return context.json(await page.catch(rethrowInRestTerms));
  });

  routes.get("/model-calls/export", async (context) => {
    const identity = await admit(context, "GET /app/api/user/model-calls/export");
    const { timezone, ...asked } = readListCallsQuery(queryOf(context), "export");
    const calls = { ...allowCalls(identity, asked), withVoided: false, limit: EXPORT_PAGE };
    const gone = new AbortController();
    const signal = AbortSignal.any([context.req.raw.signal, gone.signal]);
    const csv = callsCsv(everyCall(exportReader, calls, signal), timezone);
    const over = exports.enter();
    // What is wrong with the question is told before anything is sent.
    const first = await csv.next().catch((error: unknown) => {
      over();
      return rethrowInRestTerms(error);
    });
    const rest = breakingOff(context, csv, onFailure);
    return context.body(
      streamOf(first, rest, () => (gone.abort(), over())),
      200,
      {
        "content-type": "text/csv; charset=utf-8",
        "content-disposition": `attachment; filename="model-calls.csv"`,
      },
    );
  });

  return routes;
}

/** A stream that asks for the next piece when the one before was taken. A failure breaks it off, so that nobody takes a part for the whole. */
function streamOf(
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
  over: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<string> | null = first;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { value, done } = next ?? (await rest.next());
        next = null;
        if (done !== true) return controller.enqueue(encoder.encode(value));
        over();
        controller.close();
      } catch (error) {
        over();
        controller.error(error);
      }
    },
    cancel: over,
  });
}

function queryOf(context: Context): URLSearchParams {
  return new URL(context.req.url).searchParams;
}

function rethrowInRestTerms(error: unknown): never {
  throw inRestTerms(error);
}
