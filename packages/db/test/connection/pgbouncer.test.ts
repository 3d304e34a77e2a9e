import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createCallWriter, listenForChanges, migrate, openDatabase, rollUp } from "../../src/index.ts";
import { createTestDatabase, type TestDatabase, testEar } from "../../src/testing/index.ts";
import { modelCall } from "../model-calls.ts";
import { hasPgbouncer, type Pgbouncer, startPgbouncer } from "./pgbouncer.ts";

describe.skipIf(!hasPgbouncer)("behind PgBouncer (needs pgbouncer)", () => {
  let database: TestDatabase;
  let pgbouncer: Pgbouncer | undefined;

  beforeAll(async () => {
    database = await createTestDatabase({ from: "empty" });
  });
  afterEach(async () => {
    await pgbouncer?.stop();
    pgbouncer = undefined;
  });
  afterAll(() => database.close());

  it("works in session mode, out of the box: migrates, records, announces, rolls up", async () => {
    pgbouncer = await startPgbouncer(database.url, { pool_mode: "session" });
    const orm = await openDatabase({ url: pgbouncer.url, poolSize: 3, statementTimeoutMs: 10_000 });
    const [listening, changed] = [Promise.withResolvers<void>(), Promise.withResolvers<string | null>()];
    const listener = listenForChanges(pgbouncer.url, {
      ...testEar({ orm }),
      onChange: changed.resolve,
      onMissed: () => {},
      onHearing: listening.resolve,
      onDeaf: listening.reject,
    });
    try {
      await migrate(orm, new Date());
      await listening.promise;
      const outcomes = await createCallWriter(orm).record([
        modelCall({ id: "1", userDid: "u", callTime: new Date(Date.now() - 3_600_000) }),
      ]);
      expect(outcomes).toEqual(["added"]);
      expect(await changed.promise).toBe("u");
      expect(await rollUp(orm)).toBeGreaterThan(0);
      const [session] = await orm.em
        .fork()
        .execute(
          "select current_setting('statement_timeout') as timeout, current_setting('datestyle') as dates",
        );
      expect(session).toEqual({ timeout: "10s", dates: "ISO, YMD" });
    } finally {
      await listener.close();
      await orm.close();
    }
  });

  it.each([
    ["transaction", {}],
    ["transaction", { server_round_robin: 1 }],
    ["transaction", { default_pool_size: 1 }],
    ["transaction", { min_pool_size: 5, server_round_robin: 1 }],
    ["statement", {}],
  ])(
    "is refused in %s mode %o, and told what to set; nothing is left on its connections",
    async (mode, more) => {
      pgbouncer = await startPgbouncer(database.url, { pool_mode: mode, ...more });
      for (let i = 0; i < 5; i += 1) {
        await expect(openDatabase({ url: pgbouncer.url })).rejects.toThrow(
          /pooled by transaction; .* Set pool_mode = session/,
        );
      }
      const other = new Client({ connectionString: pgbouncer.url });
      await other.connect();
      const { rows } = await other.query(
        "select name from pg_settings where source = 'session' and name in ('work_mem', 'IntervalStyle', 'jit')",
      );
      expect(rows).toEqual([]);
      await other.end();
    },
  );

  it("opens where a second session is not to be had", async () => {
    pgbouncer = await startPgbouncer(database.url, { pool_mode: "session", default_pool_size: 1 });
    const orm = await openDatabase({ url: pgbouncer.url, poolSize: 1 });
    expect(await orm.em.fork().execute("select 1 as one")).toEqual([{ one: 1 }]);
    await orm.close();
  }, 20_000);

  it("says what PgBouncer says where it does not know the database", async () => {
    pgbouncer = await startPgbouncer(database.url, { pool_mode: "session" });
    await expect(openDatabase({ url: `${pgbouncer.url}_not` })).rejects.toThrow(
      /^The database at 127\.0\.0\.1:\d+ cannot be used: .*no such database/,
    );
  });
});
