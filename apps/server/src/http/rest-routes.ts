import {
  allowEveryonesUsage,
  allowUsage,
  type AllowedQuestion,
  answerRest,
  authorize,
  inRestTerms,
  type OnQuestion,
  readRebuildBody,
  readUsageStatsQuery,
  startRebuild,
} from "@usage-stats/api";
import { type Clock, type Rebuilder, UsageError, type UsageRepository } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type AppEnv } from "./request-variables.ts";
import { sendJson } from "./response-headers.ts";

export type RestPorts = {
  repository: UsageRepository;
  rebuilder: Rebuilder;
  clock: Clock;
  identify: IdentifyRequest;
  onQuestion?: OnQuestion;
};

/** The HTTP endpoints that existing front ends call. Each handler decides for itself who may read what. */
export function restRoutes(ports: RestPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/user/usage-stats", async (context) => {
    const identity = await ports.identify(context);
    authorize(identity, "GET /app/api/user/usage-stats");
    return answerUsage(context, ports, allowUsage(identity, readQuery(context)));
  });

  routes.get("/user/admin/user-stats", async (context) => {
    const identity = await ports.identify(context);
    authorize(identity, "GET /app/api/user/admin/user-stats");
    const asked = readQuery(context);
    if (asked.userDid !== undefined)
      throw new UsageError("unknown_field", 'There is no parameter "userDid".', { field: "userDid" });
    return answerUsage(context, ports, allowEveryonesUsage(identity, asked));
  });

  routes.post("/admin/rebuild", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (context) => {
    authorize(await ports.identify(context), "POST /app/api/admin/rebuild");
    return context.json(await startRebuild(ports.rebuilder, readRebuildBody(await context.req.text())), 202);
  });

  return routes;
}

const MAX_BODY_BYTES = 10_000;

function readQuery(context: Context<AppEnv>) {
  return readUsageStatsQuery(new URL(context.req.url).searchParams);
}

async function answerUsage(context: Context<AppEnv>, ports: RestPorts, question: AllowedQuestion) {
  try {
    const { cache, costs } = context.var;
    return sendJson(context, await answerRest({ ...ports, cache, costs }, question));
  } catch (error) {
    throw inRestTerms(error);
  }
}
