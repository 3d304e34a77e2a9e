import {
  type ApiContext,
  appRouter,
  createRequestSize,
  isGuarded,
  keptTrpcAnswers,
  MAX_BATCH_SIZE,
} from "@usage-stats/api";
import { type ApiKeyStore } from "@usage-stats/core";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { type Handler } from "hono";
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

/**
 * Serves the tRPC router below `endpoint`; what is kept of its answers is sent as it is. What a request spends are the operations
 * that answer it: tRPC's own reading of the address says which they are. A body is read when the first of them takes its input,
 * and so not for strangers, nor for what is no procedure.
 */
export function trpcRoute(endpoint: string, { onFailure, admit, ...ports }: TrpcPorts): Handler<AppEnv> {
  return async (context) => {
    const { requestId, costs, cache, deadline } = context.var;
    const shared = {
      ...ports,
      ...requestPorts(context, ports),
      requestId,
      costs,
      cache,
      signal: deadline.signal,
    };
    if (context.req.method === "GET" && context.req.header("trpc-accept") === undefined) {
      const { pathname, searchParams } = new URL(context.req.url);
      const body = await keptTrpcAnswers(
        { path: pathname.slice(endpoint.length + 1), query: searchParams },
        { ...shared, size: createRequestSize(), admit: (...operations) => admit(context, ...operations) },
      );
      if (body !== null) return sendJson(context, body);
    }
    return fetchRequestHandler({
      endpoint,
      router: appRouter,
      maxBatchSize: MAX_BATCH_SIZE,
      req: context.req.method === "POST" ? unread(context.req.raw, ports.maxIngestBytes) : context.req.raw,
      createContext: ({ info }): ApiContext => {
        const operations = info.calls.map(({ path }) => path);
        return {
          ...shared,
          size: createRequestSize(),
          admit: (operation) => admit(context, operation, operations),
        };
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

/** The same request, whose body is read, and refused, once tRPC asks for its text. Whatever type it has, JSON is the only one taken. */
function unread(request: Request, maxBytes: number): Request {
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  const { url, method, signal } = request;
  return Object.assign(new Request(url, { method, headers, signal }), {
    text: () => readJsonText(request, maxBytes),
  });
}
