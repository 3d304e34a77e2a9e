import { type OnQuestion } from "@usage-stats/api";
import { invalidatingRebuilder, type SharedCache } from "@usage-stats/cache";
import { type Clock, type UsageRepository } from "@usage-stats/core";
import { createRebuilder, type Database, isMigrated } from "@usage-stats/db";
import { type Hono } from "hono";
import { createIdentifyRequest } from "../auth/identify-request.ts";
import { type SessionChecks } from "../auth/session-token.ts";
import { createApp } from "../http/app.ts";
import { type Metrics } from "../http/metrics-route.ts";
import { type AppEnv } from "../http/request-variables.ts";

export type AppParts = {
  orm: Database;
  /** Connections whose statements may take their time. */
  patientOrm: Database;
  repository: UsageRepository;
  cache: SharedCache | null;
  metrics: Metrics;
  clock: Clock;
  /** What session tokens have to be. */
  checks: SessionChecks;
  sessionCookie: string;
  onQuestion?: OnQuestion;
  onUnknownError(error: unknown, requestId: string): void;
};

/** Puts the application together from its parts. */
export function composeApp({ orm, patientOrm, checks, sessionCookie, ...ports }: AppParts): Hono<AppEnv> {
  const rebuilder = createRebuilder(patientOrm);
  return createApp({
    ...ports,
    rebuilder: ports.cache === null ? rebuilder : invalidatingRebuilder(rebuilder, ports.cache),
    identify: createIdentifyRequest({ checks, sessionCookie, clock: ports.clock }),
    checkReadiness: async () => {
      try {
        return (await isMigrated(orm)) ? [] : ["migrations are pending"];
      } catch {
        return ["the database does not answer"];
      }
    },
  });
}
