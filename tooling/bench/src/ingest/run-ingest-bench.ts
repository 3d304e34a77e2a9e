import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ModelCall } from "@usage-stats/core";
import { createCallWriter, migrate, openDatabase } from "@usage-stats/db";
import { startPostgres } from "@usage-stats/dev-services/postgres";
import { Pool } from "pg";
import { atLeast, type Goal, PERCENT } from "../goals.ts";
import { goalsTable } from "../goals-table.ts";
import { type Progress } from "../progress.ts";
import { tableText } from "../table-text.ts";
import { INGEST_CASES, type IngestCase, MOST_CONNECTIONS } from "./ingest-cases.ts";
import { nextCall } from "./next-call.ts";
import { createPlainTable, insertPlain } from "./plain-insert.ts";

const ROUNDS = 4;
const ROUND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** Calls a second. `plainAlone` is the plain insert with a connection a caller, where we share fewer. */
type IngestRate = IngestCase & { ours: number; plain: number; plainAlone: number | null };

export type IngestBenchResult = { rates: IngestRate[]; goals: Goal[] };

/**
 * How many calls a second are recorded, beside a plain insert of the same calls into the same table without triggers, in turns. On
 * a database that survives a power cut, as a gateway's does: each batch is on its disk before the next is sent.
 */
export async function runIngestBench(now: Date, { show }: Progress): Promise<IngestBenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), "usage-stats-bench-"));
  const server = await startPostgres({ dataDir, durability: "durable" });
  const orm = await openDatabase({ url: server.url, poolSize: MOST_CONNECTIONS });
  const shared = openPool(server.url, MOST_CONNECTIONS);
  const own = openPool(server.url, Math.max(...INGEST_CASES.map(({ callers }) => callers)));
  try {
    await migrate(orm, now);
    await createPlainTable(shared);
    const callWriter = createCallWriter(orm);
    const ways = {
      ours: async (calls: ModelCall[]) => void (await callWriter.record(calls)),
      plain: (calls: ModelCall[]) => insertPlain(shared, calls),
      plainAlone: (calls: ModelCall[]) => insertPlain(own, calls),
    };
    const rates: IngestRate[] = [];
    for (const one of INGEST_CASES) {
      show(`recording: ${one.name}`);
      const latest = one.late ? new Date(now.getTime() - HOUR_MS) : now;
      const written = { ours: 0, plain: 0, plainAlone: 0 };
      const names = (Object.keys(written) as (keyof typeof written)[]).filter(
        (name) => name !== "plainAlone" || one.callers > MOST_CONNECTIONS,
      );
      for (let round = 0; round < ROUNDS; round += 1)
        for (const name of names) written[name] += await callsWithin(ROUND_MS, one, latest, ways[name]);
      const aSecond = (name: keyof typeof written) => (written[name] * 1_000) / (ROUNDS * ROUND_MS);
      rates.push({
        ...one,
        ours: aSecond("ours"),
        plain: aSecond("plain"),
        plainAlone: names.includes("plainAlone") ? aSecond("plainAlone") : null,
      });
    }
    return { rates, goals: rates.flatMap(judge) };
  } finally {
    await Promise.allSettled([orm.close(), shared.end(), own.end()]);
    await server.stop();
    await rm(dataDir, { recursive: true, force: true, maxRetries: 10 });
  }
}

function openPool(connectionString: string, max: number): Pool {
  const pool = new Pool({ connectionString, max, options: "-c jit=off" });
  pool.on("error", () => {
    // Its server was stopped before it; whoever waits for a query is told by the query.
  });
  return pool;
}

/** Has callers write for a time; gives how many calls a second of that time would have taken, times its length. */
async function callsWithin(
  ms: number,
  { batch, callers }: IngestCase,
  latest: Date,
  write: (calls: ModelCall[]) => Promise<void>,
): Promise<number> {
  const started = performance.now();
  let written = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      while (performance.now() - started < ms) {
        await write(Array.from({ length: batch }, () => nextCall(latest)));
        written += batch;
      }
    }),
  );
  return (written * ms) / (performance.now() - started);
}

function judge({ name, wanted, ours, plain }: IngestRate): Goal[] {
  return wanted === undefined
    ? []
    : [atLeast(`recording, of a plain insert: ${name}`, ours / plain, wanted, PERCENT)];
}

/** The result for people. */
export function ingestReportText({ rates, goals }: IngestBenchResult): string {
  return [
    tableText(
      ["recording", "calls a second", "plain insert", "share", "plain, a connection each"],
      rates.map(({ name, ours, plain, plainAlone }) => [
        name,
        Math.round(ours),
        Math.round(plain),
        PERCENT(ours / plain),
        plainAlone === null ? "" : Math.round(plainAlone),
      ]),
    ),
    goalsTable(goals),
  ].join("\n\n");
}
