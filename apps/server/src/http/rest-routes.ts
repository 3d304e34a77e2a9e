import {
  allowEveryonesUsage,
  allowUsage,
  type AllowedQuestion,
  type AskedQuestion,
  answer,
  answerRest,
  actorOf,
  inRestTerms,
  issueViewerToken,
  type OnQuestion,
  readBody,
  rank,
  readUsageRankingQuery,
  readUsageStatsQuery,
  rebuildInput,
  type SignViewerToken,
  startRebuild,
  viewerTokenInput,
} from "@usage-stats/api";
import { type AuditLog, type Clock, RANKED_BY, type Rebuilder, UsageError } from "@usage-stats/core";
import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { BYTE_ORDER_MARK } from "../csv/csv-text.ts";
import { usageCsv } from "../csv/usage-csv.ts";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { readJsonText } from "./read-body-text.ts";
import { requestPorts, type SharedPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";
import { sendJson } from "./response-headers.ts";

export type RestPorts = SharedPorts & {
  shares: Shares;
  rebuilder: Rebuilder;
  clock: Clock;
  audit: AuditLog;
  signViewerToken: SignViewerToken;
  admit: Admit;
  onQuestion?: OnQuestion;
};

/** The HTTP endpoints that existing front ends call. Each handler decides for itself who may read what. */
export function restRoutes(ports: RestPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get("/user/usage-stats", async (context) => {
    const identity = await ports.admit(context, "GET /app/api/user/usage-stats");
    return answerUsage(context, ports, (asked) => allowUsage(identity, asked));
  });

  routes.get("/user/admin/user-stats", async (context) => {
    const identity = await ports.admit(context, "GET /app/api/user/admin/user-stats");
    return answerUsage(context, ports, (asked) => {
      if (asked.userDid !== undefined)
        throw new UsageError("unknown_field", 'There is no parameter "userDid".', { field: "userDid" });
      return allowEveryonesUsage(identity, asked);
    });
  });

  for (const by of RANKED_BY)
    routes.get(`/admin/usage-by/${by}`, async (context) => {
      await ports.admit(context, `GET /app/api/admin/usage-by/${by}`);
      const { costs, deadline } = context.var;
      const query = readUsageRankingQuery(by, new URL(context.req.url).searchParams);
      return context.json(
        await rank(
          { ...ports, ...requestPorts(context, ports), costs, signal: deadline.signal },
          query,
        ).catch(rethrowInRestTerms),
      );
    });

  routes.post("/admin/rebuild", async (context) => {
    const identity = await ports.admit(context, "POST /app/api/admin/rebuild");
    const input = readBody(rebuildInput, await readJsonText(context.req.raw, MAX_BODY_BYTES));
    const actor = actorOf({ identity, requestId: context.var.requestId });
    return context.json(await startRebuild(ports, actor, input), 202);
  });

  routes.post("/viewer-tokens", async (context) => {
    const identity = await ports.admit(context, "POST /app/api/viewer-tokens");
    const input = readBody(viewerTokenInput, await readJsonText(context.req.raw, MAX_BODY_BYTES));
    return context.json(await issueViewerToken(ports, identity, input), 201);
  });

  return routes;
}

const MAX_BODY_BYTES = 10_000;

async function answerUsage(
  context: Context<AppEnv>,
  ports: RestPorts,
  allow: (asked: AskedQuestion) => AllowedQuestion,
) {
  const { cache, costs, deadline } = context.var;
  const view = { ...ports, ...requestPorts(context, ports), cache, costs, signal: deadline.signal };
  const form = wantsCsv(context) ? "csv" : "json";
  const { bom, ...asked } = readUsageStatsQuery(new URL(context.req.url).searchParams, form);
  const question = allow(asked);
  if (form === "csv") {
    const stats = await answer(view, question).catch(rethrowInRestTerms);
    const headers = { "content-type": "text/csv; charset=utf-8", vary: "accept" };
    return context.body((bom ? BYTE_ORDER_MARK : "") + usageCsv(stats), 200, headers);
  }
  const json = answerRest(view, question).catch(rethrowInRestTerms);
  return sendJson(context, await json);
}

/** Whoever takes anything gets JSON, as ever. */
function wantsCsv(context: Context): boolean {
  const accepted = context.req.header("accept");
  if (accepted === undefined || !accepted.includes("text/csv")) return false;
  return (
    accepts(context, {
      header: "Accept",
      supports: ["application/json", "text/csv"],
      default: "application/json",
    }) === "text/csv"
  );
}

function rethrowInRestTerms(error: unknown): never {
  throw inRestTerms(error);
}
