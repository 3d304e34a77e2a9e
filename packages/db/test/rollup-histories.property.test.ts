import { setTimeout as sleep } from "node:timers/promises";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import {
  type CallWriter,
  getUsageStats,
  type ModelCall,
  NOTHING_KNOWN,
  type UsageStatsQuery,
} from "@usage-stats/core";
import fc from "fast-check";
import { Client } from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { afterAll, beforeAll, expect, it } from "vitest";
import {
  createCallWriter,
  createUsageRepository,
  type Database,
  logForRebuild,
  openDatabase,
  rollUp,
  verifyRollups,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase, readRawUsage } from "../src/testing/index.ts";
import { callsNear, questionNear, scene, USERS } from "./arbitrary-usage.ts";
import { ODD_SESSIONS, openOddly } from "./odd-sessions.ts";
import { bruteForce, comparable } from "./brute-force.ts";

const HISTORIES = Number(process.env["LONG"] ?? 200);

let database: TestDatabase;
let victim: Database;
let callWriter: CallWriter;
let client: Client;

beforeAll(async () => {
  database = await createTestDatabase();
  victim = await openDatabase({ url: database.url, applicationName: "victim" });
  callWriter = createCallWriter(database.orm);
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await victim.close();
  await database.close();
});

/** The calls there should be, by identity. */
type Model = Map<string, ModelCall>;
const identity = (call: ModelCall) => JSON.stringify([call.userDid, call.id, call.callTime.getTime()]);
const pickOf = (model: Model, at: number) => [...model.values()][at % model.size]!;
const put = (model: Model, calls: ModelCall[]) => calls.forEach((call) => model.set(identity(call), call));

type Step = { does: string; run(model: Model): Promise<void> };

function steps(at: number): fc.Arbitrary<Step[]> {
  const some = callsNear(at, { minLength: 1, maxLength: 12 });
  const place = fc.nat(1_000_000);
  const add: fc.Arbitrary<Step> = some.map((calls) => ({
    does: "record calls, late ones too",
    async run(model) {
      await callWriter.record(calls);
      put(model, calls);
    },
  }));
  const copy: fc.Arbitrary<Step> = some.map((calls) => ({
    does: "COPY calls in",
    async run(model) {
      const fresh = calls.filter((call) => !model.has(identity(call)));
      await ensurePartitions(fresh);
      const lines = fresh.map((call) =>
        [
          call.userDid,
          call.id,
          call.callTime.toISOString(),
          call.providerId,
          call.model,
          call.type,
          call.status,
          call.credits ?? "\\N",
        ].join("\t"),
      );
      await pipeline(
        Readable.from(lines.map((line) => `${line}\n`)),
        client.query(
          copyFrom(
            "copy model_calls (user_did, id, call_time, provider_id, model, type, status, credits) from stdin",
          ),
        ),
      );
      put(
        model,
        fresh.map((call) => ({ ...call, ...NOTHING_KNOWN, credits: call.credits })),
      );
    },
  }));
  const future: fc.Arbitrary<Step> = fc
    .tuple(some, fc.integer({ min: -20, max: 60 }))
    .map(([calls, minutes]) => ({
      does: "record calls of this very quarter and of the future",
      async run(model) {
        const moved = calls.map((call, i) => ({
          ...call,
          callTime: new Date(Date.now() + minutes * 60_000 + i),
        }));
        await callWriter.record(moved);
        put(model, moved);
      },
    }));
  const onExisting = (does: string, run: (call: ModelCall, model: Model, n: number) => Promise<void>) =>
    fc.tuple(place, place).map(([which, n]): Step => ({
      does,
      run: async (model) => (model.size === 0 ? undefined : run(pickOf(model, which), model, n)),
    }));
  const where = "user_did = $1 and id = $2 and call_time = $3";
  const key = (call: ModelCall) => [call.userDid, call.id, call.callTime];
  const repeat = onExisting("repeat a call", async (call) =>
    expect(await callWriter.record([call])).toEqual(["repeated"]),
  );
  const correct = onExisting("correct a call", async (call, model, n) => {
    const corrected: ModelCall = {
      ...call,
      status: n % 2 === 0 ? "failed" : "success",
      model: `model-${n % 3}`,
      totalUsage: n,
    };
    await callWriter.record([corrected]);
    put(model, [corrected]);
  });
  const voidOne = onExisting("void a call", async (call, model, n) => {
    const { userDid, id, callTime } = call;
    const gone = { userDid, id, callTime, void: true as const };
    expect(await callWriter.record([gone, gone])).toEqual(["voided", "repeated"]);
    // It arrives once more, as it was or otherwise.
    const late = { ...call, credits: n % 2 === 0 ? call.credits : "0.5" };
    await callWriter.record([late]);
    model.delete(identity(call));
  });
  const remove = onExisting("delete a call in psql", async (call, model) => {
    await client.query(`delete from model_calls where ${where}`, key(call));
    model.delete(identity(call));
  });
  const move = onExisting("move a call to another user in psql", async (call, model, n) => {
    const moved = { ...call, userDid: USERS[n % USERS.length]! };
    if (model.has(identity(moved))) return;
    await client.query(`update model_calls set user_did = $4 where ${where}`, [...key(call), moved.userDid]);
    model.delete(identity(call));
    put(model, [moved]);
  });
  const direct = onExisting("delete straight from a partition", async (call, model) => {
    const partition = `model_calls_${call.callTime.toISOString().slice(0, 7).replace("-", "_")}`;
    await client.query(`delete from ${partition} where ${where}`, key(call));
    model.delete(identity(call));
  });
  const rollAll = fc.constant<Step>({
    does: "roll up everything",
    run: async () => void (await rollUp(database.orm)),
  });
  const rollSome = fc.integer({ min: 1, max: 6 }).map((batchSize): Step => ({
    does: `roll up one batch of ${batchSize}`,
    async run() {
      const once = new AbortController();
      await rollUp(database.orm, { batchSize, signal: once.signal, onProgress: () => once.abort() });
    },
  }));
  const two = fc.integer({ min: 1, max: 6 }).map((batchSize): Step => ({
    does: "two workers at once",
    run: async () =>
      void (await Promise.all([rollUp(database.orm, { batchSize }), rollUp(victim, { batchSize })])),
  }));
  const kill = fc.integer({ min: 0, max: 25 }).map((ms): Step => ({
    does: `kill a worker after ${ms} ms`,
    async run() {
      const rolling = rollUp(victim, { batchSize: 5 }).then(() => "", String);
      await sleep(ms);
      await client.query(
        "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'victim' and datname = current_database()",
      );
      expect(await rolling).toMatch(/^$|terminat|not queryable|ECONNRESET/i);
    },
  }));
  const rebuild = fc.constantFrom(undefined, ...USERS).map((userDid): Step => ({
    does: "mark for a rebuild",
    run: () => logForRebuild(database.orm, userDid === undefined ? {} : { userDid }),
  }));
  return fc.array(
    fc.oneof(
      { arbitrary: add, weight: 3 },
      copy,
      future,
      repeat,
      correct,
      voidOne,
      remove,
      move,
      direct,
      { arbitrary: rollAll, weight: 2 },
      { arbitrary: rollSome, weight: 2 },
      two,
      kill,
      rebuild,
    ),
    { minLength: 3, maxLength: 12 },
  );
}

async function ensurePartitions(calls: ModelCall[]): Promise<void> {
  for (const { callTime } of calls) await client.query("select ensure_model_calls_partition($1)", [callTime]);
}

async function check(model: Model, query: UsageStatsQuery): Promise<void> {
  const now = new Date();
  const toNow = {
    ...query,
    from: new Date(now.getTime() - 3_600_000 * 5),
    to: new Date(now.getTime() + 7_200_000),
    timezone: "Asia/Kathmandu",
    bucket: "15m" as const,
  };
  for (const input of [query, toNow]) {
    const { stats } = await getUsageStats(
      { repository: createUsageRepository(database.orm), cache: null, now },
      input,
    );
    expect(comparable(stats, input.groupBy)).toEqual(bruteForce([...model.values()], input, stats));
    const raw = await getUsageStats(
      { repository: createUsageRepository(database.orm, readRawUsage), cache: null, now },
      input,
    );
    expect({ ...stats, freshness: null }).toEqual({ ...raw.stats, freshness: null });
  }
}

// The same under each odd session, a few at a time.
const SESSIONS = [
  { settings: {}, runs: HISTORIES },
  ...ODD_SESSIONS.map((settings) => ({ settings, runs: Math.ceil(HISTORIES / 20) })),
];

it.each(SESSIONS)(
  "answers as brute force does after every step of $runs random histories in sessions set to $settings",
  async ({ settings, runs }) => {
    await database.orm.close();
    database.orm = await openOddly(database.url, settings);
    callWriter = createCallWriter(database.orm);
    const histories = scene.chain(({ timezone, at }) =>
      fc.record({ steps: steps(at), query: questionNear(at, timezone) }),
    );
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        await client.query("delete from model_calls");
        await rollUp(database.orm);
        const model: Model = new Map();
        for (const { run } of history.steps) {
          await run(model);
          await check(model, history.query);
        }
        await rollUp(database.orm);
        await check(model, history.query);
        expect((await verifyRollups(database.orm)).differences).toEqual([]);
      }),
      // Histories shrink badly, because time goes on; the steps of the failing one are printed.
      { numRuns: runs, endOnFailure: true },
    );
  },
  HISTORIES * 5_000,
);
