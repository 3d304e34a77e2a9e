import { type ApiContext, appRouter, keptTrpcAnswers, MAX_BATCH_SIZE } from "@usage-stats/api";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { type Handler } from "hono";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type AppEnv } from "./request-variables.ts";
import { sendJson } from "./response-headers.ts";
import { type RestPorts } from "./rest-routes.ts";

export type TrpcPorts = RestPorts & {
  /** Told of every error that is ours, not the caller's. */
  onUnknownError(error: unknown, requestId: string): void;
};

/** Serves the tRPC router below `endpoint`; what is kept of its answers is sent as it is. */
export function trpcRoute(endpoint: string, { onUnknownError, ...ports }: TrpcPorts): Handler<AppEnv> {
  return async (context) => {
    const { requestId, costs, cache } = context.var;
    // A batch holds many procedures but comes from one person.
    let identity: ReturnType<IdentifyRequest> | undefined;
    const apiContext: ApiContext = {
      ...ports,
      requestId,
      costs,
      cache,
      identify: () => (identity ??= ports.identify(context)),
    };
    if (context.req.method === "GET" && context.req.header("trpc-accept") === undefined) {
      const { pathname, searchParams } = new URL(context.req.url);
      const path = pathname.slice(endpoint.length + 1);
      const body = await keptTrpcAnswers({ path, query: searchParams }, apiContext);
      if (body !== null) return sendJson(context, body);
    }
    return fetchRequestHandler({
      endpoint,
      router: appRouter,
      maxBatchSize: MAX_BATCH_SIZE,
      req: context.req.raw,
      createContext: () => apiContext,
      onError: ({ error }) => {
        if (error.code === "INTERNAL_SERVER_ERROR") onUnknownError(error.cause ?? error, requestId);
      },
    });
  };
}
