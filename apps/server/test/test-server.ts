import { EventEmitter } from "node:events";
import { type OnQuestion, type RecordLimits } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import { createUsageClient, type UsageClient } from "@usage-stats/client";
import { type UsageRepository } from "@usage-stats/core";
import { createUsageRepository, listenForChanges } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { secretKey } from "../src/auth/session-keys.ts";
import { type SessionChecks, signSessionToken } from "../src/auth/session-token.ts";
import { type RateLimits } from "../src/limits/rate-limits.ts";
import { composeApp } from "../src/serve/compose-app.ts";
import { type Fetch } from "../src/serve/http-server.ts";
import { createMetrics, type ServerMetrics } from "../src/serve/metrics.ts";

export const AUTH_SECRET = "a secret for tests only, 32 bytes";

export type TestServer = {
  database: TestDatabase;
  /** Every route; what only comes before others handles no requests. */
  routes: { method: string; path: string; handlesRequests: boolean }[];
  /** What `onUnknownError` was told. */
  errors: unknown[];
  request(path: string, init?: RequestInit): Promise<Response>;
  /** What a real server answers requests with. */
  fetch: Fetch;
  /** The headers of a user's bearer token. */
  signed(as: { user: string; role?: "user" | "admin" }): Promise<{ headers: { authorization: string } }>;
  /** A GET with a user's bearer token. */
  get(path: string, as: { user: string; role?: "user" | "admin" }): Promise<Response>;
  client(as: { user: string; role?: "user" | "admin" }): UsageClient;
  /** A client with whatever token. */
  clientWith(token: string | (() => string | Promise<string>)): UsageClient;
  /** Hears of changed keys from the database, as a server does that really runs. */
  listen(): { ready: Promise<void>; close(): Promise<void> };
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
  onQuestion?: OnQuestion;
  recordLimits?: Partial<RecordLimits>;
  limits?: RateLimits | null;
  trustedProxies?: number;
  corsOrigins?: string[];
};

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
  onQuestion = () => {},
  recordLimits = {},
  limits = null,
  trustedProxies = 0,
  corsOrigins = [],
}: TestServerOptions = {}): Promise<TestServer> {
  const database = shared ?? (await createTestDatabase());
  const errors: unknown[] = [];
  const { app, forgetKey } = composeApp({
    orm: database.orm,
    patientOrm: database.orm,
    ingestOrm: database.orm,
    recordLimits: { maxCalls: 50, oldestMs: 10_000 * 86_400_000, aheadMs: 300_000, ...recordLimits },
    maxIngestBytes: 1_000_000,
    repository: repository(createUsageRepository(database.orm)),
    cache,
    metrics,
    onQuestion,
    clock: { now },
    checks,
    sessionCookie: "login_token",
    limits,
    trustedProxies,
    corsOrigins,
    onSpans: metrics.onSpans,
    onUnknownError: (error) => errors.push(error),
  });
  const request = async (path: string, init?: RequestInit) => {
    const outgoing = new EventEmitter();
    const response = await app.request(path, init, { incoming: INCOMING, outgoing });
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
    request,
    fetch: (raw, bindings) => app.fetch(raw, bindings),
    signed,
    get: async (path, as) => request(path, await signed(as)),
    client: (as) => clientWith(() => tokenOf(as)),
    clientWith,
    listen() {
      const ready = Promise.withResolvers<void>();
      const { close } = listenForChanges(database.url, {
        onChange: () => {},
        onKeyChange: forgetKey,
        onListening: ready.resolve,
        onError: (error) => errors.push(error),
      });
      return { ready: ready.promise, close };
    },
    async close() {
      await cache?.close();
      if (shared === undefined) await database.close();
    },
  };
}
