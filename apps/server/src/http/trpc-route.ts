import { appRouter } from "@usage-stats/api";
import { type Clock, type Rebuilder, type UsageRepository } from "@usage-stats/core";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { type Handler } from "hono";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type AppEnv } from "./request-variables.ts";

export type TrpcPorts = {
  repository: UsageRepository;
  rebuilder: Rebuilder;
  clock: Clock;
  identify: IdentifyRequest;
  /** Told of every error that is ours, not the caller's. */
  onUnknownError(error: unknown, requestId: string): void;
};

/** Serves the tRPC router below `endpoint`. */
export function trpcRoute(
  endpoint: string,
  { repository, rebuilder, clock, identify, onUnknownError }: TrpcPorts,
): Handler<AppEnv> {
  return (context) => {
    const requestId = context.get("requestId");
    // A batch holds many procedures but comes from one person.
    let identity: ReturnType<IdentifyRequest> | undefined;
    return fetchRequestHandler({
      endpoint,
      router: appRouter,
      req: context.req.raw,
      createContext: () => ({
        repository,
        rebuilder,
        clock,
        requestId,
        costs: context.get("costs"),
        identify: () => (identity ??= identify(context)),
      }),
      onError: ({ error }) => {
        if (error.code === "INTERNAL_SERVER_ERROR") onUnknownError(error.cause ?? error, requestId);
      },
    });
  };
}
