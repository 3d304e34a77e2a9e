import { type OnQuestion, type RecordLimits } from "@usage-stats/api";
import { invalidatingRebuilder, invalidatingRecorder, type SharedCache } from "@usage-stats/cache";
import { type ApiKeyStore, type Clock, type UsageRepository } from "@usage-stats/core";
import {
  createApiKeyStore,
  createAuditLog,
  createCallReader,
  createCallRecorder,
  createRankingRepository,
  createRebuilder,
  createViewerSecret,
  type Database,
  isMigrated,
} from "@usage-stats/db";
import { type Hono } from "hono";
import { createIdentifyRequest } from "../auth/identify-request.ts";
import { type SessionChecks } from "../auth/session-token.ts";
import { createSignViewerToken } from "../auth/viewer-token.ts";
import { createAdmit } from "../http/admit.ts";
import { createApp } from "../http/app.ts";
import { type Metrics } from "../http/metrics-route.ts";
import { type AppEnv } from "../http/request-variables.ts";
import { type SpanCounts } from "../intake/record-spans.ts";
import { type RateLimits } from "../limits/rate-limits.ts";

export type AppParts = {
  orm: Database;
  /** Connections whose statements may take their time. */
  patientOrm: Database;
  repository: UsageRepository;
  /** Connections of their own for calls that come in, which reports must not keep waiting. */
  ingestOrm: Database;
  recordLimits: RecordLimits;
  maxIngestBytes: number;
  cache: SharedCache | null;
  metrics: Metrics;
  clock: Clock;
  /** What session tokens have to be. */
  checks: SessionChecks;
  sessionCookie: string;
  /** Whether changes are heard of that others make. */
  hears: () => boolean;
  /** `null` for no limits. */
  limits: RateLimits | null;
  /** How many proxies stand in front, each of which adds where a request came from to `X-Forwarded-For`. */
  trustedProxies: number;
  /** Origins whose pages may read answers. */
  corsOrigins: readonly string[];
  onQuestion?: OnQuestion;
  onSpans?: (counts: SpanCounts) => void;
  onUnknownError(error: unknown, requestId: string): void;
};

const NOT_HEARD =
  "the database's announcements are not heard: answers are right, and every one is made by the database";

export type ComposedApp = {
  app: Hono<AppEnv>;
  /** Checks an API key anew when it is next used; all of them for `null`. */
  forgetKey(id: string | null): void;
};

/** Puts the application together from its parts. */
export function composeApp(parts: AppParts): ComposedApp {
  const { orm, patientOrm, ingestOrm, checks, sessionCookie, limits, trustedProxies, ...ports } = parts;
  const keys = createApiKeyStore(orm);
  const viewerSecret = createViewerSecret(orm);
  const identify = createIdentifyRequest({
    checks,
    sessionCookie,
    keys,
    viewerSecret,
    hears: ports.hears,
    clock: ports.clock,
    onError: (error) => ports.onUnknownError(error, "none (noting that a key was used)"),
  });
  const rebuilder = createRebuilder(patientOrm);
  const recorder = createCallRecorder(ingestOrm);
  const app = createApp({
    ...ports,
    recorder: ports.cache === null ? recorder : invalidatingRecorder(recorder, ports.cache, ports.clock),
    rebuilder: ports.cache === null ? rebuilder : invalidatingRebuilder(rebuilder, ports.cache),
    ranking: createRankingRepository(orm),
    callReader: createCallReader(orm),
    keys: forgetting(keys, identify.forgetKey),
    audit: createAuditLog(orm),
    signViewerToken: createSignViewerToken(viewerSecret),
    admit: createAdmit({ identify, limits, trustedProxies }),
    checkReadiness: async () => {
      try {
        return (await isMigrated(orm)) ? [] : ["migrations are pending"];
      } catch {
        return ["the database does not answer"];
      }
    },
    notices: () => (ports.hears() ? [] : [NOT_HEARD]),
  });
  return { app, forgetKey: identify.forgetKey };
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
