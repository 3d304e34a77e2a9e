import {
  type ApiContext,
  appRouter,
  isGuarded,
  keptTrpcAnswers,
  MAX_BATCH_SIZE,
  toTrpcError,
} from "@usage-stats/api";
import { type ApiKeyStore } from "@usage-stats/core";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { type Context, type Handler } from "hono";
import { type CallListPorts } from "./call-list-routes.ts";
import { type ModelCallsPorts } from "./model-calls-routes.ts";
import { type OnFailure } from "./on-failure.ts";
import { readJsonText } from "./read-body-text.ts";
import { requestPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";
import { sendJson } from "./response-headers.ts";
import { type RestPorts } from "./rest-routes.ts";

export type TrpcPorts = RestPorts &
  ModelCallsPorts &
  CallListPorts & {
    keys: ApiKeyStore;
    onFailure: OnFailure;
  };

/** Serves the tRPC router below `endpoint`; what is kept of its answers is sent as it is. */
export function trpcRoute(endpoint: string, { onFailure, admit, ...ports }: TrpcPorts): Handler<AppEnv> {
  return async (context) => {
    const { requestId, costs, cache, deadline } = context.var;
    const { pathname, searchParams } = new URL(context.req.url);
    const path = pathname.slice(endpoint.length + 1);
    const operations = namesOf(path);
    const apiContext: ApiContext = {
      ...ports,
      ...requestPorts(context, ports),
      requestId,
      costs,
      cache,
      signal: deadline.signal,
      admit: (operation) => admit(context, operation, operations),
    };
    if (context.req.method === "GET" && context.req.header("trpc-accept") === undefined) {
      const body = await keptTrpcAnswers({ path, query: searchParams }, apiContext);
      if (body !== null) return sendJson(context, body);
    }
    const read = await readRequest(context, ports.maxIngestBytes);
    return fetchRequestHandler({
      endpoint,
      router: appRouter,
      maxBatchSize: MAX_BATCH_SIZE,
      req: read.request,
      createContext: () => {
        if (read.refusal !== undefined) throw toTrpcError(read.refusal);
        return apiContext;
      },
      onError: ({ error, path: name = "" }) => {
        // Whoever has left has ended the work.
        if (getHTTPStatusCodeFromError(error) < 500 || context.req.raw.signal.aborted) return;
        const operation = isGuarded(name) ? `tRPC ${name}` : "tRPC";
        onFailure({ error: error.cause ?? error, requestId, operation });
      },
    });
  };
}

/** The request with its body read, or why that was refused, which is for tRPC to say in its own shape. */
async function readRequest(
  { req }: Context,
  maxBytes: number,
): Promise<{ request: Request; refusal?: unknown }> {
  if (req.method !== "POST") return { request: req.raw };
  const { url, method } = req.raw;
  const headers = new Headers(req.raw.headers);
  headers.set("content-type", "application/json");
  try {
    const body = await readJsonText(req.raw, maxBytes);
    return { request: new Request(url, { method, headers, body }) };
  } catch (refusal) {
    return { request: new Request(url, { method, headers, body: "{}" }), refusal };
  }
}

function namesOf(path: string): string[] {
  try {
    return decodeURIComponent(path).split(",");
  } catch {
    return [];
  }
}
