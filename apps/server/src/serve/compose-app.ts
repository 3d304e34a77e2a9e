import { type RecordLimits } from "@usage-stats/api";
import { invalidatingRebuilder, invalidatingWriter } from "@usage-stats/cache";
import { type ApiKeyStore, type UsageRepository } from "@usage-stats/core";
import {
  createApiKeyStore,
  createAuditLog,
  createCallReader,
  createCallWriter,
  createRankingRepository,
  createRebuilder,
  createRunReader,
  createViewerSecret,
  type Database,
  isMigrated,
  takesWrites,
} from "@usage-stats/db";
import { type Hono } from "hono";
import { createIdentifyRequest } from "../auth/identify-request.ts";
import { type SessionChecks } from "@usage-stats/identity";
import { createSignViewerToken } from "@usage-stats/identity";
import { createAdmit, createCountRequest } from "../http/admit.ts";
import { answeringAgain } from "../http/answer-again.ts";
import { createAnsweredRequests } from "../http/answered-requests.ts";
import { createApp, type HttpParts } from "../http/app.ts";
import { type AppEnv } from "../http/http-request.ts";
import { type RateLimits } from "../limits/rate-limits.ts";
import { boundedRebuilder } from "../rollups/bounded-rebuilder.ts";
import { createCheckReadiness } from "./check-readiness.ts";
import { type Fetch } from "./http-server.ts";
import { type Pools } from "./open-pools.ts";

export type AppParts = Omit<
  HttpParts,
  "ports" | "exportReader" | "admit" | "answered" | "countRequest" | "notices" | "checkReadiness"
> & {
  pools: Pools;
  repository: UsageRepository;
  recordLimits: RecordLimits;
  /** What session tokens have to be. */
  checks: SessionChecks;
  sessionCookie: string;
  /** Whether changes are heard of that others make. */
  hears: () => boolean;
  /** `null` for no limits. */
  limits: RateLimits | null;
  /** Why requests should not be sent here, as far as this process knows by itself. */
  readinessFlags: readonly (() => string | null)[];
  /** How many proxies stand in front, each of which adds where a request came from to `X-Forwarded-For`. */
  trustedProxies: number;
  /** Tells the operator what is probably set wrong. */
  warn(text: string): void;
  /** Told where the use of a key could not be noted. */
  onKeyUseLost(error: unknown): void;
};

const NOT_HEARD =
  "the database's announcements are not heard: answers are right, and every one is made by the database";

/** Counting what a rebuild would replace may take long. */
const REBUILD_MS = 60_000;

export type ComposedApp = {
  app: Hono<AppEnv>;
  /** Answers a request: by the application, or as it was answered before. */
  fetch: Fetch;
  /** Checks an API key anew when it is next used; all of them for `null`. */
  forgetKey(id: string | null): void;
};

/** Puts the application together from its parts. */
export function composeApp(parts: AppParts): ComposedApp {
  const { pools, repository, recordLimits, cache, hears, limits, trustedProxies, ...http } = parts;
  const keys = createApiKeyStore(pools.identity);
  const viewerSecret = createViewerSecret(pools.identity);
  const identify = createIdentifyRequest({
    checks: parts.checks,
    sessionCookie: parts.sessionCookie,
    keys,
    viewerSecret,
    hears,
    onError: parts.onKeyUseLost,
  });
  const countRequest = createCountRequest({ limits, trustedProxies, warn: parts.warn });
  const rebuilder = boundedRebuilder(createRebuilder(pools.worker), REBUILD_MS);
  const callWriter = createCallWriter(pools.ingest);
  const httpParts: HttpParts = {
    ...http,
    cache,
    answered: createAnsweredRequests(),
    ports: {
      repository,
      ranking: createRankingRepository(pools.reports),
      callReader: createCallReader(pools.lists),
      runReader: createRunReader(pools.reports),
      callWriter: cache === null ? callWriter : invalidatingWriter(callWriter, cache, parts.clock),
      recordLimits,
      rebuilder: cache === null ? rebuilder : invalidatingRebuilder(rebuilder, cache),
      keys: forgetting(keys, identify.forgetKey),
      audit: createAuditLog(pools.identity),
      signViewerToken: createSignViewerToken(viewerSecret),
    },
    exportReader: createCallReader(pools.reports),
    admit: createAdmit({ identify, limits, trustedProxies, countRequest }),
    countRequest,
    notices: () => (hears() ? [] : [NOT_HEARD]),
    checkReadiness: createCheckReadiness({
      flags: parts.readinessFlags,
      probes: { "the database": () => probeDatabase(pools.readiness) },
      monotonic: () => performance.now(),
    }),
  };
  const app = createApp(httpParts);
  return { app, fetch: answeringAgain(app, { ...httpParts, identify }), forgetKey: identify.forgetKey };
}

async function probeDatabase(orm: Database): Promise<string | null> {
  if (!(await isMigrated(orm))) return "migrations are pending";
  return (await takesWrites(orm)) ? null : "the database takes no writes";
}

/** Other servers hear of a changed key from the database; this one knows at once. */
function forgetting(keys: ApiKeyStore, forget: (id: string) => void): ApiKeyStore {
  const after = <Result>(id: string, change: Promise<Result>) => change.finally(() => forget(id));
  return {
    ...keys,
    rotate: (id, ...change) => after(id, keys.rotate(id, ...change)),
    revoke: (id, action) => after(id, keys.revoke(id, action)),
  };
}
