import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEar, type Ear, listenForChanges } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase, testEar } from "../../src/testing/index.ts";
import { hasPgbouncer, type Pgbouncer, startPgbouncer } from "../connection/pgbouncer.ts";

const BOUND_MS = 1_000;

describe.skipIf(!hasPgbouncer)("behind PgBouncer (needs pgbouncer)", () => {
  let database: TestDatabase;
  let pooler: Pgbouncer;
  let ear: Ear;
  let heard: (string | null)[];
  let reasons: string[];
  let listener: { close(): Promise<void> };

  async function listenBehind(mode: "session" | "transaction"): Promise<void> {
    pooler = await startPgbouncer(database.url, { pool_mode: mode });
    ear = createEar({ boundMs: BOUND_MS, clock: { now: () => new Date() } });
    listener = listenForChanges(pooler.url, {
      ear,
      announce: testEar(database).announce,
      onChange: (userDid) => heard.push(userDid),
      onMissed: () => {},
      onHearing: () => {},
      onDeaf: (why) => reasons.push(String(why)),
    });
  }

  beforeEach(async () => {
    database = await createTestDatabase();
    heard = [];
    reasons = [];
  });
  afterEach(async () => {
    await listener.close();
    await pooler.stop();
    await database.close();
  });

  const announce = (payload: string) =>
    database.orm.em.fork().execute("select pg_notify('usage_stats_changes', ?)", [payload]);

  it("in session mode, hears", async () => {
    await listenBehind("session");
    await vi.waitUntil(() => ear.hears(), { timeout: 10_000 });
    await announce("alice");
    await vi.waitFor(() => expect(heard).toEqual(["alice"]));
  });

  it("in transaction mode, never takes itself to hear: LISTEN is answered, and nothing arrives", async () => {
    await listenBehind("transaction");
    const until = performance.now() + 6 * BOUND_MS;
    while (performance.now() < until) {
      expect(ear.hears()).toBe(false);
      await sleep(5);
    }
    await announce("alice");
    await sleep(BOUND_MS);
    expect(heard).toEqual([]);
    expect(reasons).toEqual([expect.stringContaining("did not come back")]);
  });
});
