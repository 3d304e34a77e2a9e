import { readCallsBody, recordCalls, type RecordPorts } from "@usage-stats/api";
import { UsageError } from "@usage-stats/core";
import { Hono } from "hono";
import { type Shares } from "../limits/shares.ts";
import { type Admit } from "./admit.ts";
import { readBodyText } from "./read-body-text.ts";
import { requestPorts, type SharedPorts } from "./request-ports.ts";
import { type AppEnv } from "./request-variables.ts";

export type ModelCallsPorts = RecordPorts &
  SharedPorts & { shares: Shares; admit: Admit; maxIngestBytes: number };

const NDJSON = ["application/x-ndjson", "application/ndjson", "application/jsonl"];

/** Where gateways send calls to. */
export function modelCallsRoutes(ports: ModelCallsPorts): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.post("/model-calls", async (context) => {
    await ports.admit(context, "POST /app/api/model-calls");
    const types = ["application/json", ...NDJSON];
    const rules = { maxBytes: ports.maxIngestBytes, types, gzip: true };
    const { text, type } = await readBodyText(context.req.raw, rules);
    const format = NDJSON.includes(type) ? "ndjson" : "json";
    const calls = text === "" ? [] : readCallsBody(text, format, ports.recordLimits.maxCalls);
    return context.json(
      await recordCalls(
        { ...ports, ...requestPorts(context, ports) },
        calls,
        atomicOf(context.req.query("atomic")),
      ),
    );
  });
  return routes;
}

function atomicOf(value = "false"): boolean {
  if (value === "true" || value === "false") return value === "true";
  throw new UsageError("invalid_option", "atomic must be true or false.", { field: "atomic", value });
}
