import type {
  AppRouter,
  RebuildAnswer,
  RebuildRequest,
  UsageStats,
  UsageStatsRequest,
} from "@usage-stats/api";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";

/** A question: `[from, to)`, half-open; everything else has a default. */
export type UsageStatsQuery = Omit<UsageStatsRequest, "from" | "to"> & { from: Date; to: Date };

/** One user or everyone; a half-open range or all time. */
export type RebuildQuery = Omit<RebuildRequest, "from" | "to"> & { from?: Date; to?: Date };

export type CallOptions = { signal?: AbortSignal };

export type UsageClient = {
  /** Usage of the token's user; admins may name another in `userDid`. */
  usageStats(query: UsageStatsQuery, options?: CallOptions): Promise<UsageStats>;
  admin: {
    /** Usage of all users together. */
    usageStats(query: Omit<UsageStatsQuery, "userDid">, options?: CallOptions): Promise<UsageStats>;
    /** Makes rollups anew from their calls; `dryRun` only says what that would replace. Answers stay right meanwhile. */
    rebuild(scope: RebuildQuery, options?: CallOptions): Promise<RebuildAnswer>;
  };
};

export type UsageClientOptions = {
  /** Where the server is, such as `http://localhost:3000`. */
  url: string;
  /** A session token, or a function that gives a fresh one for each request. */
  token: string | (() => string | Promise<string>);
  /** For tests and for runtimes with a fetch of their own. */
  fetch?: typeof globalThis.fetch;
};

/**
 * A typed client of the usage-stats server. Questions asked in the same tick travel as one request. A refusal rejects with
 * an error that `usageErrorOf` reads.
 */
export function createUsageClient({ url, token, fetch }: UsageClientOptions): UsageClient {
  const trpc = createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: new URL("/trpc", url),
        maxItems: 10,
        maxURLLength: 8000,
        transformer: {
          input: { serialize: (value: unknown) => value, deserialize: (value: unknown) => value },
          output: superjson,
        },
        headers: async () => ({
          authorization: `Bearer ${typeof token === "string" ? token : await token()}`,
        }),
        ...(fetch && { fetch: (input, init) => fetch(input as string | URL, init as RequestInit) }),
      }),
    ],
  });
  return {
    usageStats: (query, options) => trpc.usageStats.query(onTheWire(query), options),
    admin: {
      usageStats: (query, options) => trpc.admin.usageStats.query(onTheWire(query), options),
      rebuild: ({ from, to, ...scope }, options) =>
        trpc.admin.rebuild.mutate(
          { ...scope, ...(from && { from: from.toISOString() }), ...(to && { to: to.toISOString() }) },
          options,
        ),
    },
  };
}

function onTheWire<Query extends { from: Date; to: Date }>({ from, to, ...rest }: Query) {
  return { ...rest, from: from.toISOString(), to: to.toISOString() };
}
