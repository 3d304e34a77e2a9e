import { type Clock } from "@usage-stats/core";
import { createRebuilder, createUsageRepository, type Database, isMigrated } from "@usage-stats/db";
import { type Hono } from "hono";
import { createIdentifyRequest } from "../auth/identify-request.ts";
import { createApp } from "../http/app.ts";
import { type AppEnv } from "../http/request-variables.ts";

export type AppParts = {
  orm: Database;
  /** Connections whose statements may take their time. */
  patientOrm: Database;
  clock: Clock;
  authSecret: string;
  sessionCookie: string;
  onUnknownError(error: unknown, requestId: string): void;
};

/** Puts the application together from its parts. */
export function composeApp({
  orm,
  patientOrm,
  clock,
  authSecret,
  sessionCookie,
  onUnknownError,
}: AppParts): Hono<AppEnv> {
  return createApp({
    repository: createUsageRepository(orm),
    rebuilder: createRebuilder(patientOrm),
    clock,
    identify: createIdentifyRequest({ authSecret, sessionCookie, clock }),
    onUnknownError,
    checkReadiness: async () => {
      try {
        return (await isMigrated(orm)) ? [] : ["migrations are pending"];
      } catch {
        return ["the database does not answer"];
      }
    },
  });
}
