import type {
  ApiKey,
  AppRouter,
  CallList,
  ListedCall,
  ModelCallInput,
  NewApiKey,
  RankedBy,
  RebuildAnswer,
  RecordAnswer,
  RotateKeyInput,
  RunUsage,
  UsageRanking,
  UsageStats,
  ViewerToken,
  ViewerTokenInput,
} from "@usage-stats/api";
import type * as wire from "@usage-stats/api";
import { createTRPCClient, httpBatchLink } from "@trpc/client";
import superjson from "superjson";

/**
 * Asks for one user's usage in `[from, to)`, half-open; everything else has a default.
 *
 * @example
 * const lastWeek: UsageStatsInput = { from: new Date(Date.now() - 7 * 86_400_000), to: new Date(), timezone: "Asia/Kolkata", bucket: "day" };
 */
export type UsageStatsInput = Omit<wire.UsageStatsInput, "from" | "to"> & { from: Date; to: Date };

/**
 * Asks for everyone's calls in `[from, to)`, ranked; 50 a page, most calls first, unless said otherwise.
 *
 * @example
 * const dearest: UsageRankingInput = { from, to, orderBy: "credits", limit: 10 };
 */
export type UsageRankingInput = Omit<wire.UsageRankingInput, "from" | "to"> & { from: Date; to: Date };

/**
 * Asks for single calls in `[from, to)`, 50 a page unless said otherwise.
 *
 * @example
 * const slowFailures: ListCallsInput = { from, to, filter: { status: ["failed"] }, minDurationMs: 10_000 };
 */
export type ListCallsInput = Omit<wire.ListCallsInput, "from" | "to"> & { from: Date; to: Date };

type Rank<By extends RankedBy> = (
  query: UsageRankingInput,
  options?: CallOptions,
) => Promise<UsageRanking<By>>;

/**
 * Names the rollups to be made anew: one user's or everyone's, of a half-open range or of all time.
 *
 * @example
 * const oneUser: RebuildInput = { userDid: "did:abt:alice", dryRun: true };
 */
export type RebuildInput = Omit<wire.RebuildInput, "from" | "to"> & { from?: Date; to?: Date };

/**
 * Describes a key to be made: see docs/operating.md. It never expires where nothing is said.
 *
 * @example
 * const gateway: CreateKeyInput = { name: "gateway", scopes: ["calls:write"] };
 */
export type CreateKeyInput = Omit<wire.CreateKeyInput, "expiresAt"> & { expiresAt?: Date };

/**
 * Names a call that is to count nowhere any more. `callTime` as it was sent with the call.
 *
 * @example
 * const twice: CallVoidInput = { id: "call-7", userDid: "did:abt:alice", callTime: "2026-11-01T09:30:00Z", void: true };
 */
export type CallVoidInput = Pick<ModelCallInput, "id" | "userDid" | "callTime"> & { void: true };

/**
 * How long a request may take: until its signal aborts.
 *
 * @example
 * await client.usageStats({ from, to }, { signal: AbortSignal.timeout(5_000) });
 */
export type CallOptions = { signal?: AbortSignal };

/**
 * Everything that the server does, typed. Each method rejects with an error that `usageStatsErrorOf` reads.
 *
 * @example
 * const client: UsageClient = createUsageClient({ url: "http://localhost:3000", token });
 */
export type UsageClient = {
  /**
   * Usage of the token's user; admins may name another in `userDid`. With `percentiles: [50, 95]` the answer tells these of latencies,
   * such as `stats.percentiles?.durationMs?.p95`.
   */
  usageStats(query: UsageStatsInput, options?: CallOptions): Promise<UsageStats>;
  admin: {
    /** Usage of all users together. */
    usageStats(query: Omit<UsageStatsInput, "userDid">, options?: CallOptions): Promise<UsageStats>;
    /** Which users used how much, by any metric. */
    usageByUser: Rank<"user">;
    usageByApp: Rank<"app">;
    usageByModel: Rank<"model">;
    /** Makes rollups anew from their calls; `dryRun` only says what that would replace. Answers stay right meanwhile. */
    rebuild(scope: RebuildInput, options?: CallOptions): Promise<RebuildAnswer>;
    /** The API keys of machines. A key's text is given once, when it is made or rotated. */
    keys: {
      create(key: CreateKeyInput, options?: CallOptions): Promise<NewApiKey>;
      list(options?: CallOptions): Promise<ApiKey[]>;
      /** Gives a new secret; the one before stays good for `graceSeconds`, a day unless said otherwise. */
      rotate(key: RotateKeyInput, options?: CallOptions): Promise<NewApiKey>;
      revoke(key: { id: string }, options?: CallOptions): Promise<ApiKey>;
    };
  };
  modelCalls: {
    /** Records calls, or voids them; says of each what became of it. See `createCallRecorder` for what comes one by one. */
    record(
      recording: { calls: readonly (ModelCallInput | CallVoidInput)[]; atomic?: boolean },
      options?: CallOptions,
    ): Promise<RecordAnswer>;
    /** Calls of the token's user, newest first, a page at a time; admins may name another in `userDid`. */
    list(query: ListCallsInput, options?: CallOptions): Promise<CallList>;
    /** The same, all of them: the next page is asked for when it is needed. */
    listAll(query: Omit<ListCallsInput, "cursor">, options?: CallOptions): AsyncGenerator<ListedCall>;
  };
  /** What a run cost with all that it began; admins may name another user in `userDid`. */
  runUsage(query: wire.RunUsageInput, options?: CallOptions): Promise<RunUsage>;
  /** What a conversation cost. */
  conversationUsage(query: wire.ConversationUsageInput, options?: CallOptions): Promise<RunUsage>;
  viewerTokens: {
    /** A short-lived token for one user's embedded page, which can only read that user's usage. */
    create(request: ViewerTokenInput, options?: CallOptions): Promise<ViewerToken>;
  };
};

/**
 * Where the server is, and who asks.
 *
 * @example
 * const options: UsageClientOptions = { url: "http://localhost:3000", token: () => session.freshToken() };
 */
export type UsageClientOptions = {
  /** Where the server is, such as `http://localhost:3000`. */
  url: string;
  /** A session token, an API key or a viewer token, or a function that gives a fresh one for each request. */
  token: string | (() => string | Promise<string>);
  /** For tests and for runtimes with a fetch of their own. */
  fetch?: typeof globalThis.fetch;
};

/**
 * Makes a typed client of the usage-stats server. Questions asked in the same tick travel as one request. A refusal rejects
 * with an error that `usageStatsErrorOf` reads.
 *
 * @example
 * const client = createUsageClient({ url: "http://localhost:3000", token: process.env.TOKEN! });
 * const { totals, series } = await client.usageStats({ from, to, timezone: "Europe/Berlin", bucket: "day" });
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
  const list: UsageClient["modelCalls"]["list"] = (query, options) =>
    trpc.modelCalls.list.query(onTheWire(query), options);
  return {
    usageStats: (query, options) => trpc.usageStats.query(onTheWire(query), options),
    admin: {
      usageStats: (query, options) => trpc.admin.usageStats.query(onTheWire(query), options),
      usageByUser: (query, options) => trpc.admin.usageByUser.query(onTheWire(query), options),
      usageByApp: (query, options) => trpc.admin.usageByApp.query(onTheWire(query), options),
      usageByModel: (query, options) => trpc.admin.usageByModel.query(onTheWire(query), options),
      rebuild: ({ from, to, ...scope }, options) =>
        trpc.admin.rebuild.mutate(
          { ...scope, ...(from && { from: from.toISOString() }), ...(to && { to: to.toISOString() }) },
          options,
        ),
      keys: {
        create: ({ expiresAt, ...key }, options) =>
          trpc.admin.keys.create.mutate(
            { ...key, ...(expiresAt && { expiresAt: expiresAt.toISOString() }) },
            options,
          ),
        list: (options) => trpc.admin.keys.list.query(undefined, options),
        rotate: (key, options) => trpc.admin.keys.rotate.mutate(key, options),
        revoke: (key, options) => trpc.admin.keys.revoke.mutate(key, options),
      },
    },
    modelCalls: {
      record: ({ calls, ...how }, options) =>
        trpc.modelCalls.record.mutate({ calls: [...calls], ...how }, options),
      list,
      async *listAll(query, options) {
        let cursor: string | null | undefined;
        do {
          const page: CallList = await list({ ...query, ...(cursor && { cursor }) }, options);
          yield* page.items;
          cursor = page.nextCursor;
        } while (cursor !== null);
      },
    },
    runUsage: (query, options) => trpc.runUsage.query(query, options),
    conversationUsage: (query, options) => trpc.conversationUsage.query(query, options),
    viewerTokens: {
      create: (request, options) => trpc.viewerTokens.create.mutate(request, options),
    },
  };
}

function onTheWire<Query extends { from: Date; to: Date }>({ from, to, ...rest }: Query) {
  return { ...rest, from: from.toISOString(), to: to.toISOString() };
}
