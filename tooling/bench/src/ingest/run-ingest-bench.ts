import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";
import { createCallWriter, migrate, openDatabase } from "@usage-stats/db";
import { startPostgres } from "@usage-stats/dev-services/postgres";
import { Pool } from "pg";
import { type Goal } from "../goals.ts";
import { type Progress } from "../progress.ts";
import { goalsTable } from "../goals-table.ts";
import { tableText } from "../table-text.ts";
import { createPlainTable, insertPlain } from "./plain-insert.ts";

const BATCHES = [1, 50, 500, 5_000];
const CONNECTIONS = [1, 8];
const ROUNDS = 4;
const ROUND_MS = 1_000;
const WANTED = 0.6;

type Rate = { batch: number; connections: number; ours: number; plain: number };

export type IngestBenchResult = { rates: Rate[]; goals: Goal[] };

/**
 * How many calls a second are recorded, beside a plain insert of the same calls into the same table without triggers, in turns. On
 * a database that survives a power cut, as a gateway's does: each batch is on its disk before the next is sent.
 */
export async function runIngestBench(now: Date, { show }: Progress): Promise<IngestBenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), "usage-stats-bench-"));
  const server = await startPostgres({ dataDir, durability: "durable" });
  const orm = await openDatabase({ url: server.url });
  const pool = new Pool({
    connectionString: server.url,
    max: Math.max(...CONNECTIONS),
    options: "-c jit=off",
  });
  pool.on("error", () => {
    // Its server was stopped before it; whoever waits for a query is told by the query.
  });
  try {
    await migrate(orm, now);
    await createPlainTable(pool);
    const callWriter = createCallWriter(orm);
    const record = async (calls: ModelCall[]) => void (await callWriter.record(calls));
    const rates: Rate[] = [];
    for (const batch of BATCHES)
      for (const connections of CONNECTIONS) {
        show(`recording ${batch} at a time over ${connections}`);
        const turn = { ours: 0, plain: 0 };
        for (let round = 0; round < ROUNDS; round += 1) {
          turn.ours += await callsWithin(ROUND_MS, batch, connections, now, record);
          turn.plain += await callsWithin(ROUND_MS, batch, connections, now, (calls) =>
            insertPlain(pool, calls),
          );
        }
        const seconds = (ROUNDS * ROUND_MS) / 1_000;
        rates.push({ batch, connections, ours: turn.ours / seconds, plain: turn.plain / seconds });
      }
    return { rates, goals: rates.filter(({ batch }) => batch === 500).map(judge) };
  } finally {
    await Promise.allSettled([orm.close(), pool.end()]);
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Writes batches over so many connections for a time; gives how many calls a second of that time would have taken, times its length. */
async function callsWithin(
  ms: number,
  batch: number,
  connections: number,
  now: Date,
  write: (calls: ModelCall[]) => Promise<void>,
): Promise<number> {
  const started = performance.now();
  let written = 0;
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (performance.now() - started < ms) {
        await write(Array.from({ length: batch }, () => nextCall(now)));
        written += batch;
      }
    }),
  );
  return (written * ms) / (performance.now() - started);
}

let calls = 0;

/** Calls of this minute by two hundred users. */
function nextCall(now: Date): ModelCall {
  const n = (calls += 1);
  return {
    ...NOTHING_KNOWN,
    id: `call-${n}`,
    userDid: `did:abt:z1user${n % 200}`,
    appDid: `z2app${n % 5}`,
    providerId: "openai",
    model: `model-${n % 10}`,
    type: "chatCompletion",
    status: "success",
    callTime: new Date(now.getTime() - (n % 60_000)),
    inputTokens: n % 3_000,
    outputTokens: n % 500,
    totalUsage: (n % 3_000) + (n % 500),
    credits: "0.00012345",
    durationMs: n % 9_000,
    ttfbMs: n % 900,
    requestId: `request-${n}`,
  };
}

function judge({ batch, connections, ours, plain }: Rate): Goal {
  return {
    name: `recording ${batch} at a time over ${connections}, of a plain insert`,
    goal: `at least ${WANTED * 100}%`,
    reached: `${Math.round((ours / plain) * 100)}%`,
    met: ours / plain >= WANTED,
  };
}

/** The result for people. */
export function ingestReportText({ rates, goals }: IngestBenchResult): string {
  return [
    tableText(
      ["calls at a time", "connections", "recorded a second", "plain insert", "share"],
      rates.map(({ batch, connections, ours, plain }) => [
        batch,
        connections,
        Math.round(ours),
        Math.round(plain),
        `${Math.round((ours / plain) * 100)}%`,
      ]),
    ),
    goalsTable(goals),
  ].join("\n\n");
}
