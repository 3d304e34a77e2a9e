import { getUsageStats } from "@usage-stats/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createUsageRepository, migrate, rollUp, verifyRollups } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { rollUpAsThen } from "./first-rollups.ts";

// Until then, a call without a price had cost 0.
const BEFORE = "20261125000007-one-entry";
const NOW = new Date("2025-07-20T00:00:00Z");
const RULES = ["model_calls_cache_write_tokens_check", "model_calls_reasoning_tokens_check"];

let database: TestDatabase;

/** A database of before with 300 calls, of which 100 have a price, all rolled up. */
beforeEach(async () => {
  database = await createTestDatabase({ from: "empty" });
  await database.orm.migrator.up({ to: BEFORE });
  for (const month of ["05", "06"]) await run(`select ensure_model_calls_partition('2025-${month}-01')`);
  await run(`insert into model_calls (user_did, id, call_time, provider_id, model, type, status, total_usage)
    select 'user-' || i % 3, i::text, timestamptz '2025-05-30 00:00+00' + i * interval '17 minutes', 'p', 'm', 'embedding', 'success', i
      from generate_series(1, 300) i`);
  await run("update model_calls set credits = 0.5 where id::int % 3 = 0");
  await rollUpAsThen(run);
});
afterEach(() => database.close());

function run<Row>(sql: string): Promise<Row[]> {
  return database.orm.em.fork().execute(sql);
}

function insert(id: string, more: Record<string, number | null> = {}, table = "model_calls") {
  const month = /\d{4}_\d\d$/.exec(table)?.[0].replace("_", "-") ?? "2025-06";
  return run(`insert into ${table} (${["user_did", "id", "call_time", "provider_id", "model", "type", "status", ...Object.keys(more)].join(", ")})
    values (${["'user-1'", `'${id}'`, `'${month}-01 10:00+00'`, "'p'", "'m'", "'embedding'", "'success'", ...Object.values(more)].map(String).join(", ")})`);
}

async function prices(): Promise<Record<string, string | null>> {
  const rows = await run<{ id: string; credits: string | null }>("select id, credits from model_calls");
  return Object.fromEntries(rows.map(({ id, credits }) => [id, credits]));
}

async function totals() {
  const { stats } = await getUsageStats(
    { repository: createUsageRepository(database.orm), cache: null, now: NOW },
    {
      userDid: null,
      from: new Date("2025-05-01T00:00:00Z"),
      to: new Date("2025-07-01T00:00:00Z"),
      timezone: "UTC",
      bucket: "day",
      groupBy: [],
      filter: {},
      topN: 5,
      rankBy: "calls",
      compare: "none",
    },
  );
  return stats.totals;
}

it("leaves every call and its price as they were, also in answers from the rollups of before", async () => {
  const before = await prices();
  await migrate(database.orm, NOW);
  expect(await prices()).toEqual(before);
  expect(Object.values(before).filter((credits) => credits === "0.00000000")).toHaveLength(200);
  const none = { unpricedCalls: 0, cacheWriteTokens: 0, reasoningTokens: 0 };
  expect(await totals()).toMatchObject({ calls: 300, credits: "50.00000000", ...none });
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

it("has a price that is not given unknown from then on, and rolls that up", async () => {
  await migrate(database.orm, NOW);
  await insert("new-1", { cache_write_tokens: 3, reasoning_tokens: 4 });
  await insert("new-2", { credits: 0 });
  expect(await prices()).toMatchObject({ "new-1": null, "new-2": "0.00000000" });
  for (let i = 0; i < 2; i += 1) {
    expect(await totals()).toMatchObject({
      calls: 302,
      credits: "50.00000000",
      unpricedCalls: 1,
      cacheWriteTokens: 3,
      reasoningTokens: 4,
    });
    await rollUp(database.orm);
  }
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

it("holds the new numbers to their limits, in months of before and in new ones", async () => {
  await migrate(database.orm, NOW);
  await run("select ensure_model_calls_partition('2025-12-01')");
  for (const table of ["model_calls_2025_06", "model_calls_2025_12"])
    for (const rule of RULES)
      for (const value of [-1, 1_000_000_000_001])
        await expect(
          insert("bad", { [rule.replace(/^model_calls_|_check$/g, "")]: value }, table),
        ).rejects.toThrow(rule);
});

it("goes back with unknown prices as 0 again, and then takes none", async () => {
  const before = await prices();
  await migrate(database.orm, NOW);
  await insert("new-1");
  await insert("new-2", { credits: 0.25 });
  await database.orm.migrator.down({ to: BEFORE });
  expect(await prices()).toEqual({ ...before, "new-1": "0.00000000", "new-2": "0.25000000" });
  await expect(insert("new-3", { credits: null })).rejects.toThrow(/null value in column "credits"/);
  await insert("new-3");
  expect(await prices()).toMatchObject({ "new-3": "0.00000000" });
  const checks = await run<{ name: string }>(
    "select conname as name from pg_constraint where conrelid = 'model_calls'::regclass and contype = 'c'",
  );
  expect(checks.filter(({ name }) => [...RULES, "model_calls_credits_known_check"].includes(name))).toEqual(
    [],
  );

  await migrate(database.orm, NOW);
  expect(await totals()).toMatchObject({ calls: 303, unpricedCalls: 0, credits: "50.25000000" });
  await rollUp(database.orm);
  expect((await verifyRollups(database.orm)).differences).toEqual([]);
});

it("upgrades again where an earlier try was ended midway", async () => {
  await run("alter table model_call_stats add column unpriced_calls bigint not null default 0");
  await run("alter table model_calls add column cache_write_tokens bigint, alter credits drop not null");
  await run(`alter table model_calls add constraint ${RULES[0]!}
    check (cache_write_tokens >= 0 and cache_write_tokens <= 1000000000000) not valid`);
  await migrate(database.orm, NOW);
  expect(await database.orm.migrator.checkSchema()).toBe(false);
  const rules = await run<{ name: string; valid: boolean }>(
    "select conname as name, convalidated as valid from pg_constraint where conrelid::regclass::text ~ '^model_calls'",
  );
  const ours = rules.filter(({ name }) => RULES.includes(name));
  expect(ours.length).toBeGreaterThan(RULES.length);
  expect(ours.every(({ valid }) => valid)).toBe(true);
});

it("goes back again where an earlier try was ended midway", async () => {
  await migrate(database.orm, NOW);
  await insert("new-1");
  await run("alter table model_calls alter column credits set default 0");
  await run(
    "alter table model_calls add constraint model_calls_credits_known_check check (credits is not null) not valid",
  );
  await run("update model_calls set credits = 0 where credits is null");
  await database.orm.migrator.down({ to: BEFORE });
  expect(await prices()).toMatchObject({ "new-1": "0.00000000" });
});
