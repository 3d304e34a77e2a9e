import { EventEmitter } from "node:events";
import { type HttpBindings } from "@hono/node-server";
import { type OnQuery, type RecordLimits } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import { createUsageClient, type UsageClient } from "@usage-stats/client";
import { UsageStatsError, type UsageRepository } from "@usage-stats/core";
import { createUsageRepository, type Database, type Ear } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase, testEar } from "@usage-stats/db/testing";
import { secretKey } from "@usage-stats/identity";
import { type SessionChecks, signSessionToken } from "@usage-stats/identity";
import { createFailureLog } from "../src/failures/failure-log.ts";
import { type RateLimits } from "../src/limits/rate-limits.ts";
import { type Shares } from "../src/limits/shares.ts";
import { composeApp } from "../src/serve/compose-app.ts";
import { hearChanges } from "../src/serve/hear-changes.ts";
import { type Fetch } from "../src/serve/http-server.ts";
import { createMetrics, type ServerMetrics } from "../src/serve/metrics.ts";
import { type Pools } from "../src/serve/open-pools.ts";

export const AUTH_SECRET = "a secret for tests only, 32 bytes";

export type TestServer = {
  database: TestDatabase;
  /** Every route; what only comes before others handles no requests. */
  routes: { method: string; path: string; handlesRequests: boolean }[];
  /** What failed with a fault of ours; what was unavailable is not among it. */
  errors: unknown[];
  /** What was written to the log. */
  log: string[];
  request(path: string, init?: RequestInit): Promise<Response>;
  /** How often the application was asked, beside which some is answered. */
  timesAsked(): number;
  /** What a real server answers requests with. */
  fetch: Fetch;
  /** The headers of a user's bearer token. */
  signed(as: { user: string; role?: "user" | "admin" }): Promise<{ headers: { authorization: string } }>;
  /** A GET with a user's bearer token. */
  get(path: string, as: { user: string; role?: "user" | "admin" }): Promise<Response>;
  client(as: { user: string; role?: "user" | "admin" }): UsageClient;
  /** A client with whatever token. */
  clientWith(token: string | (() => string | Promise<string>)): UsageClient;
  /** Hears of changes from the database, as a server does that really runs, on a connection to `url`. */
  listen(ear?: Ear, url?: string): { settled: Promise<void>; close(): Promise<void> };
  /** What was logged of hearing. */
  logged: string[];
  close(): Promise<void>;
};

export type TestServerOptions = {
  now?: () => Date;
  cache?: SharedCache | null;
  /** Another server's, to be shared with it. */
  database?: TestDatabase;
  /** Between the application and its repository. */
  repository?: (repository: UsageRepository) => UsageRepository;
  metrics?: ServerMetrics;
  checks?: SessionChecks;
  onQuery?: OnQuery;
  recordLimits?: Partial<RecordLimits>;
  limits?: RateLimits | null;
  trustedProxies?: number;
  corsOrigins?: string[];
  /** Whether changes are heard of that others make. */
  hears?: () => boolean;
  shares?: Shares;
  requestDeadlineMs?: number;
  /** Whether what was answered before may be answered again beside the application. */
  answersAgain?: boolean;
};

/** Everyone may do as much as they like. */
const NO_SHARES: Shares = {
  reports: { take: (_who, _signal, task) => task() },
  lists: { take: (_who, _signal, task) => task() },
  writes: { take: (_who, _signal, task) => task() },
  sharedWrites: { take: (_who, _signal, task) => task() },
};

const poolsOf = (orm: Database): Pools => ({
  reports: orm,
  lists: orm,
  ingest: orm,
  identity: orm,
  readiness: orm,
  worker: orm,
});

/** What Node's server gives of a request. */
const INCOMING = { socket: { remoteAddress: "127.0.0.1", remoteFamily: "IPv4" } };

/** A response whose end is told as Node tells it: once its body was read or given up, or at once where it has none. */
function endingWith(response: Response, onEnd: () => void): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    onEnd();
    return response;
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        onEnd();
        controller.close();
      } catch (error) {
        onEnd();
        controller.error(error);
      }
    },
    async cancel(reason) {
      onEnd();
      await reader.cancel(reason);
    },
  });
  return new Response(body, response);
}

/** The whole application over a database of its own, without a socket; without a cache unless one is given. */
export async function createTestServer({
  now = () => new Date(),
  cache = null,
  database: shared,
  repository = (own) => own,
  metrics = createMetrics(),
  checks = { keys: secretKey(AUTH_SECRET) },
  onQuery = () => {},
  recordLimits = {},
  limits = null,
  trustedProxies = 0,
  corsOrigins = [],
  hears = () => true,
  shares = NO_SHARES,
  requestDeadlineMs = 15_000,
  answersAgain = true,
}: TestServerOptions = {}): Promise<TestServer> {
  const database = shared ?? (await createTestDatabase());
  const errors: unknown[] = [];
  const logged: string[] = [];
  const log: string[] = [];
  const failures = createFailureLog((text) => log.push(text));
  const {
    app,
    fetch: answering,
    forgetKey,
  } = composeApp({
    pools: poolsOf(database.orm),
    shares,
    requestDeadlineMs,
    readinessFlags: [],
    recordLimits: {
      maxCalls: 50,
      oldestMs: 10_000 * 86_400_000,
      aheadMs: 300_000,
      tags: [],
      ...recordLimits,
    },
    maxIngestBytes: 1_000_000,
    repository: repository(createUsageRepository(database.orm)),
    cache,
    metrics,
    onQuery,
    clock: { now },
    checks,
    sessionCookie: "login_token",
    limits,
    trustedProxies,
    corsOrigins,
    hears,
    onSpans: metrics.onSpans,
    onFailure(failure) {
      failures.request(failure);
      if (!(failure.error instanceof UsageStatsError)) errors.push(failure.error);
    },
    warn: (text) => log.push(text),
    onKeyUseLost: (error) => errors.push(error),
  });
  const apply = app.fetch;
  let timesAsked = 0;
  app.fetch = (...asked) => {
    timesAsked += 1;
    return apply(...asked);
  };
  const answer: Fetch = answersAgain ? answering : (raw, bindings) => app.fetch(raw, bindings);
  const request = async (path: string, init?: RequestInit) => {
    const outgoing = new EventEmitter();
    const bindings = { incoming: INCOMING, outgoing } as unknown as HttpBindings;
    const url = /^https?:/.test(path) ? path : `http://localhost${path}`;
    const response = await answer(new Request(url, init), bindings);
    return endingWith(response, () => outgoing.emit("close"));
  };
  const tokenOf = ({ user, role = "user" }: { user: string; role?: "user" | "admin" }) =>
    signSessionToken(AUTH_SECRET, { userDid: user, role }, "1h", now());
  const signed = async (as: { user: string; role?: "user" | "admin" }) => ({
    headers: { authorization: `Bearer ${await tokenOf(as)}` },
  });
  const clientWith = (token: string | (() => string | Promise<string>)) =>
    createUsageClient({
      url: "http://localhost",
      token,
      fetch: (async (input: string | URL, init?: RequestInit) =>
        request(input.toString(), init)) as typeof fetch,
    });
  return {
    database,
    routes: app.routes.map(({ method, path, handler }) => ({
      method,
      path,
      handlesRequests: handler.length < 2,
    })),
    errors,
    log,
    request,
    timesAsked: () => timesAsked,
    fetch: answer,
    signed,
    get: async (path, as) => request(path, await signed(as)),
    client: (as) => clientWith(() => tokenOf(as)),
    clientWith,
    logged,
    listen: (ear = testEar(database).ear, url = database.url) =>
      hearChanges({
        url,
        ear,
        announce: testEar(database).announce,
        cache,
        forgetKey,
        wake: () => {},
        onInvalid: () => {},
        onDeaf: metrics.onDeaf,
        log: (text) => logged.push(text),
      }),
    async close() {
      await cache?.close();
      if (shared === undefined) await database.close();
    },
  };
}
