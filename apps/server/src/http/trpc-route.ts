import {
  appRouter,
  createRequestSize,
  isGuarded,
  cachedTrpcAnswers,
  MAX_BATCH_SIZE,
  type RequestContext,
} from "@usage-stats/api";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { type Handler } from "hono";
import { type OnFailure } from "../failures/failure-log.ts";
import { type AnsweredRequests } from "./answered-requests.ts";
import { refuse } from "./problem.ts";
import { readJsonText } from "./read-body-text.ts";
import { type AppEnv } from "./http-request.ts";
import { sendJson } from "./response-headers.ts";

export type TrpcParts = { maxIngestBytes: number; onFailure: OnFailure; answered: AnsweredRequests };

/**
 * Serves the tRPC router below `endpoint`; what is kept of its answers is sent as it is. What a request spends are the operations
 * that answer it: tRPC's own reading of the address says which they are. A body is read when the first of them takes its input,
 * and so not for strangers, nor for what is no procedure.
 */
export function trpcRoute(
  endpoint: string,
  { maxIngestBytes, onFailure, answered }: TrpcParts,
): Handler<AppEnv> {
  return async (context) => {
    const request = context.get("request");
    const { method, raw } = context.req;
    if (method === "GET" && context.req.header("trpc-accept") === undefined) {
      const { pathname, searchParams } = new URL(raw.url);
      const asked = { path: pathname.slice(endpoint.length + 1), query: searchParams };
      const cached = await cachedTrpcAnswers(request, asked);
      if (cached !== null) {
        if (cached.answered !== null) answered.keep(await request.entering!, raw.url, cached.answered);
        return sendJson(request, cached.body);
      }
    }
    return fetchRequestHandler({
      endpoint,
      router: appRouter,
      maxBatchSize: MAX_BATCH_SIZE,
      req: method === "POST" ? unread(raw, maxIngestBytes) : raw,
      createContext: ({ info }): RequestContext => {
        const operations = info.calls.map(({ path }) => path);
        return {
          ...request,
          size: createRequestSize(),
          admit: (operation) => request.admit(operation, operations),
        };
      },
      onError: ({ error, path: name = "" }) => {
        const cause = error.cause ?? error;
        refuse(context, cause);
        // Whoever has left has ended the work.
        if (getHTTPStatusCodeFromError(error) < 500 || raw.signal.aborted) return;
        const operation = isGuarded(name) ? `tRPC ${name}` : "tRPC";
        onFailure({ error: cause, requestId: request.requestId, operation });
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
