import { type RollupScope } from "@usage-stats/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createCallWriter,
  createClient,
  createRebuilder,
  planRebuild,
  rollUp,
  type RollupDifference,
  verifyRollups,
} from "../src/index.ts";
import { scrubNext, type ScrubPosition } from "../src/rolling/scrub.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const user = "did:abt:z1test";
const june = { from: new Date("2025-06-01T00:00:00Z"), to: new Date("2025-07-01T00:00:00Z") };
const QUARTER_MS = 900_000;

let database: TestDatabase;

// Somebody who calls every hour and a half, somebody who calls now and then, and somebody who only has one full day.
const calls = [
  ...Array.from({ length: 500 }, (_, i) => ({ userDid: user, at: i * 5_400_000 })),
  ...Array.from({ length: 30 }, (_, i) => ({ userDid: "did:abt:z1rare", at: i * 90_000_000 })),
  ...Array.from({ length: 40 }, (_, i) => ({ userDid: "did:abt:z1once", at: i * 1_800_000 })),
].map(({ userDid, at }, i) =>
  modelCall({
    id: `call-${i}`,
    userDid,
    model: `model-${i % 7}`,
    appDid: i % 5 === 0 ? null : `app-${i % 5}`,
    keyId: i % 6 === 0 ? null : `key-${i % 2}`,
    tags: i % 10 === 1 ? { project: "x", team: "search" } : i % 2 === 0 ? null : { team: "ads" },
    type: i % 4 === 0 ? "embedding" : "chatCompletion",
    callTime: new Date(Date.UTC(2025, 4, 19) + at),
  }),
);

beforeAll(async () => {
  database = await createTestDatabase();
  await createCallWriter(database.orm).record(calls);
  await rollUp(database.orm);
});
afterAll(() => database.close());

function run<Row>(statement: string): Promise<Row[]> {
  return database.orm.em.fork().execute(statement);
}

const quarter = (time: string) => Date.parse(time) / QUARTER_MS;
const idOf = (did: string) => `(select id from model_call_users where did = '${did}')`;
const COLUMNS =
  "calls, failed_calls, processing_calls, input_tokens, output_tokens, cached_input_tokens, duration_ms_sum, duration_unknown, ttfb_ms_sum, ttfb_ms_count, credits, other_usage, type, model_id, user_id";

async function rebuild(scope: RollupScope): Promise<void> {
  await createRebuilder(database.orm).start(scope);
  await rollUp(database.orm);
}

const RIGHT = { differences: [], waiting: 0 };
const verified = () => verifyRollups(database.orm);

/** Scrubs everything once. */
async function scrub(): Promise<RollupDifference[]> {
  const found: RollupDifference[] = [];
  let at: ScrubPosition = null;
  do {
    const { position, differences }: Awaited<ReturnType<typeof scrubNext>> = await scrubNext(
      database.orm,
      at,
    );
    found.push(...differences);
    at = position;
  } while (at !== null);
  return found;
}

/** What may become of rollups, and the rows that are told of. */
const DAMAGES: [string, string, RegExp][] = [
  [
    "a day that says too much",
    `update model_call_stats set calls = calls + 1 where user_id = ${idOf(user)} and time_type = 5 and timestamp = ${quarter("2025-06-05")}`,
    /^rows by type day 2025-06-05 00:00:00\+00$/,
  ],
  [
    "a fine row that is gone",
    `delete from model_call_stats where user_id = ${idOf(user)} and time_type = 2 and timestamp = ${quarter("2025-06-05")}`,
    /^(fine rows quarter 2025-06-05 00:00:00\+00|rows by type (hour|day|week) .*|rows by (model|everything) (day|week) .*)$/,
  ],
  [
    "an hour that should not be",
    `insert into model_call_stats (time_type, slice, timestamp, item, ${COLUMNS})
     select time_type, slice, ${quarter("2024-02-03T04:00Z")}, item, ${COLUMNS} from model_call_stats where time_type = 4 and user_id = ${idOf(user)} limit 1`,
    /^rows by type hour 2024-02-03 04:00:00\+00$/,
  ],
  [
    "all users' credits a hundred-millionth off",
    `update model_call_stats set credits = credits + 0.00000001 where user_id = 0 and time_type = 9 and timestamp = ${quarter("2025-06-05")}`,
    /^rows by everything day 2025-06-05 00:00:00\+00$/,
  ],
  [
    "all users' weeks gone",
    "delete from model_call_stats where user_id = 0 and time_type in (6, 8, 10)",
    /^rows by (type|model|everything) week /,
  ],
  [
    "a fine row of all users on a day that has none",
    `insert into model_call_stats (time_type, slice, timestamp, item, ${COLUMNS.replace("user_id", "")} user_id)
     select 2, slice, timestamp, item, ${COLUMNS.replace("user_id", "")} 0 from model_call_stats where user_id = ${idOf(user)} and time_type = 2 and timestamp = ${quarter("2025-06-05")}`,
    /^fine rows quarter 2025-06-05 /,
  ],
  [
    "a sparse week's sums gone",
    `delete from model_call_stats where user_id = ${idOf("did:abt:z1rare")} and time_type = 6`,
    /^rows by type week /,
  ],
  [
    "a dense day without its sums by type",
    `delete from model_call_stats where user_id = ${idOf("did:abt:z1once")} and time_type = 5`,
    /^rows by type day 2025-05-19 /,
  ],
  [
    "a fine row that is marked as of a sparse week",
    `update model_call_stats set time_type = 0 where user_id = ${idOf("did:abt:z1once")} and time_type = 2 and timestamp = ${quarter("2025-05-19T10:00Z")}`,
    /^fine rows quarter 2025-05-19 10:00:00\+00$/,
  ],
  [
    "a fine row that is marked as of a dense day",
    `update model_call_stats set time_type = 2 where user_id = ${idOf("did:abt:z1rare")} and time_type = 0 and timestamp = ${quarter("2025-05-19")}`,
    /^fine rows quarter 2025-05-19 00:00:00\+00$/,
  ],
  [
    "a fine row that is there twice",
    `insert into model_call_stats (time_type, slice, timestamp, item, ${COLUMNS})
     select 0, slice, timestamp, item, ${COLUMNS} from model_call_stats where user_id = ${idOf(user)} and time_type = 2 and timestamp = ${quarter("2025-06-05")}`,
    /^(fine rows|rows by .*)/,
  ],
  [
    "a row in a slice that is not its user's",
    `update model_call_stats set slice = 3 where user_id = ${idOf(user)} and time_type = 2 and timestamp = ${quarter("2025-06-05")}`,
    /^fine rows quarter 2025-06-05 00:00:00\+00$/,
  ],
  [
    "a fine row of another model than its name says",
    `update model_call_stats set model_id = 1 + model_id % 7 where user_id = ${idOf("did:abt:z1once")} and timestamp = ${quarter("2025-05-19T10:00Z")} and time_type = 2`,
    /^(fine rows quarter 2025-05-19 10:00:00\+00|rows by model .*)$/,
  ],
  [
    "a day whose users nobody noted",
    `delete from model_call_user_days where timestamp = ${quarter("2025-06-05")}`,
    /^users of days day 2025-06-05 00:00:00\+00$/,
  ],
  [
    "a day that notes others as its users",
    `update model_call_user_days set users = ~ users where timestamp = ${quarter("2025-06-05")}`,
    /^users of days day 2025-06-05 00:00:00\+00$/,
  ],
  [
    "a row of no calls",
    `update model_call_stats set calls = 0 where user_id = ${idOf("did:abt:z1rare")} and time_type = 6 and timestamp = ${quarter("2025-05-26")}`,
    /^rows by type week 2025-05-26 /,
  ],
];

const damage = (name: string) => DAMAGES.find(([known]) => known === name)![1];
const named = ({ table, grain, start }: RollupDifference) => `${table} ${grain} ${start}`;

describe("verify", () => {
  it("tells a difference with its names and measures", async () => {
    await run(damage("a day that says too much"));
    const { differences } = await verified();
    expect(differences.map((difference) => difference.dimensions["type"])).toEqual([
      "chatCompletion",
      "embedding",
    ]);
    const [difference] = differences;
    expect(difference).toMatchObject({
      table: "rows by type",
      grain: "day",
      userDid: user,
      start: "2025-06-05 00:00:00+00",
      dimensions: { type: "chatCompletion" },
      expected: {
        calls: 12,
        success_calls: 12,
        failed_calls: 0,
        total_usage: 1440,
        duration_ms_count: 12,
        credits: 0.01481472,
      },
      found: { calls: 13, success_calls: 13 },
    });
    expect(Object.keys(difference!.expected!)).toContain("ttfb_ms_sum");
    await rebuild({});
    expect(await verified()).toMatchObject(RIGHT);
  });

  it("tells where a row should be marked otherwise", async () => {
    await run(damage("a fine row that is marked as of a sparse week"));
    const { differences } = await verified();
    expect(differences).toMatchObject([{ userDid: "did:abt:z1once", dimensions: { status: "success" } }]);
    const [{ expected, found }] = differences as [RollupDifference];
    expect([expected!["time_type"], found!["time_type"]]).toEqual([2, 0]);
    expect({ ...found, time_type: 2 }).toEqual(expected);
    await rebuild({});
    expect(await verified()).toMatchObject(RIGHT);
  });

  it("says how much it compared, and how far it is", async () => {
    const told: number[][] = [];
    const onProgress = (done: number, total: number) => void told.push([done, total]);
    const all = await verifyRollups(database.orm, {}, { onProgress });
    const [rows] = await run<{ rows: string }>("select count(*) as rows from model_call_stats");
    expect(all).toEqual({ differences: [], compared: Number(rows!.rows), waiting: 0, frozen: 0, users: 3 });
    const total = told[0]![1]!;
    expect(told).toEqual(Array.from({ length: total + 1 }, (_, done) => [done, total]));
  });

  it("compares nothing of somebody who is not there", async () => {
    expect(await verifyRollups(database.orm, { userDid: "nobody" })).toEqual({
      differences: [],
      compared: 0,
      waiting: 0,
      frozen: 0,
      users: 0,
    });
  });

  it("counts what waits in the scope, and compares the rest", async () => {
    await run(
      `insert into model_call_changes values ('${user}', '2025-06-05 00:00+00'), ('${user}', '2025-05-26 00:00+00'), ('other', '2025-06-05 00:00+00')`,
    );
    await run(
      `update model_call_stats set calls = calls + 5 where user_id = ${idOf(user)} and time_type = 2 and timestamp = ${quarter("2025-06-05")}`,
    );
    const { differences, ...counts } = await verifyRollups(database.orm, { userDid: user, range: june });
    expect(counts).toMatchObject({ waiting: 1, users: 1 });
    expect(differences.map(({ table }) => table)).not.toContain("fine rows");
    await rebuild({});
    expect(await verified()).toMatchObject(RIGHT);
  });
});

describe.each(["rebuild", "scrubbing"])("%s", (how) => {
  it.each(DAMAGES)("sees %s, and mends it", async (_, statement, told) => {
    await run(statement);
    const { differences } = await verified();
    expect(differences.length).toBeGreaterThan(0);
    for (const difference of differences) expect(named(difference)).toMatch(told);
    if (how === "rebuild") await rebuild({});
    else {
      expect((await scrub()).length).toBeGreaterThan(0);
      await rollUp(database.orm);
      expect(await scrub()).toEqual([]);
    }
    expect(await verified()).toMatchObject(RIGHT);
  });
});

describe("a rebuild", () => {
  it("makes everything of a user again", async () => {
    await run(`delete from model_call_stats where user_id = ${idOf(user)}`);
    await rebuild({ userDid: user });
    expect(await verified()).toMatchObject(RIGHT);
  });

  it("keeps to one user and a range, and corrects all users together with it", async () => {
    await run(
      `update model_call_stats set calls = calls + 1 where time_type = 5 and timestamp in (${quarter("2025-05-21")}, ${quarter("2025-06-05")})`,
    );
    const days = (of: RollupDifference[]) => [
      ...new Set(of.map(({ userDid, start }) => `${userDid} ${start}`)),
    ];
    const mine = await verifyRollups(database.orm, { userDid: user, range: june });
    expect(days(mine.differences)).toEqual([`${user} 2025-06-05 00:00:00+00`]);
    await rebuild({ userDid: user, range: june });
    const always = await verified();
    expect(days(always.differences)).toEqual([" 2025-05-21 00:00:00+00", `${user} 2025-05-21 00:00:00+00`]);
    await rebuild({});
    expect(await verified()).toMatchObject(RIGHT);
  });

  it("says what it would replace without doing it", async () => {
    const plan = await planRebuild(database.orm, { userDid: user });
    const [counted] = await run<{ quarters: string; rows: string }>(
      `select (select count(distinct quarter_of(call_time)) from model_calls where user_did = '${user}') as quarters,
              (select count(*) from model_call_stats where user_id = ${idOf(user)}) as rows`,
    );
    expect(plan).toEqual({
      users: 1,
      quarters: Number(counted!.quarters),
      rollupRows: Number(counted!.rows),
    });
    expect((await planRebuild(database.orm, { userDid: user, range: june })).quarters).toBeLessThan(
      plan.quarters,
    );
    expect(await run("select 1 from model_call_changes")).toEqual([]);
  });

  it("writes nothing but the change log where all is right", async () => {
    const written = () => run("select ctid, xmin from model_call_stats order by ctid");
    const before = await written();
    await createRebuilder(database.orm).start({});
    expect(await written()).toEqual(before);
    expect(await run("select 1 from model_call_changes limit 1")).toHaveLength(1);
    await rollUp(database.orm);
  });
});

describe("scrubbing", () => {
  it("leaves what a roller is at for the next time, and waits for nobody", async () => {
    await run(damage("a day that says too much"));
    const roller = createClient({ url: database.url, applicationName: "usage-stats test" });
    await roller.connect();
    try {
      await roller.query("begin");
      await roller.query("select from model_call_shards where shard = 1 for update");
      expect(await scrub()).toEqual([]);
    } finally {
      await roller.end();
    }
    expect(new Set((await scrub()).map(named))).toEqual(new Set(["rows by type day 2025-06-05 00:00:00+00"]));
  });

  it("announces whose rows it repaired", async () => {
    await run("create table told (user_did text)");
    await run(
      `create or replace function announce_changes(users text[]) returns void language sql as $$ insert into told select unnest(users) $$`,
    );
    await run(damage("a sparse week's sums gone"));
    await scrub();
    expect(await run("select distinct user_did from told")).toEqual([{ user_did: "did:abt:z1rare" }]);
    expect(await verified()).toMatchObject(RIGHT);
  });
});
