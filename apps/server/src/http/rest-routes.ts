import {
  answer,
  inRestTerms,
  readRebuildBody,
  readUsageStatsQuery,
  requireAdmin,
  type RestQuestion,
  scopeOf,
  startRebuild,
  toRestUsageStats,
} from "@usage-stats/api";
import { type Clock, type Rebuilder, UsageError, type UsageRepository } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type AppEnv } from "./request-variables.ts";

export type RestPorts = {
  repository: UsageRepository;
  rebuilder: Rebuilder;
  clock: Clock;
  identify: IdentifyRequest;
};

/** The HTTP endpoints that existing front ends call. Each handler decides for itself who may read what. */
export function restRoutes(ports: RestPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/user/usage-stats", async (context) => {
    const identity = await ports.identify(context);
    const asked = readQuery(context);
    return answerRest(context, ports, asked, scopeOf(identity, asked.userDid));
  });

  routes.get("/user/admin/user-stats", async (context) => {
    requireAdmin(await ports.identify(context));
    const asked = readQuery(context);
    if (asked.userDid !== undefined)
      throw new UsageError("unknown_field", 'There is no parameter "userDid".', { field: "userDid" });
    return answerRest(context, ports, asked, null);
  });

  routes.post("/admin/rebuild", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (context) => {
    requireAdmin(await ports.identify(context));
    return context.json(await startRebuild(ports.rebuilder, readRebuildBody(await context.req.text())), 202);
  });

  return routes;
}

const MAX_BODY_BYTES = 10_000;

function readQuery(context: Context<AppEnv>): RestQuestion {
  return readUsageStatsQuery(new URL(context.req.url).searchParams);
}

async function answerRest(
  context: Context<AppEnv>,
  ports: RestPorts,
  { question }: RestQuestion,
  userDid: string | null,
) {
  try {
    const stats = await answer({ ...ports, costs: context.get("costs") }, { ...question, userDid });
    return context.json(toRestUsageStats(stats));
  } catch (error) {
    throw inRestTerms(error);
  }
}
