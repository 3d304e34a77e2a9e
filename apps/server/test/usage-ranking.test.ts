import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const QUERY = "startTime=1750377600&endTime=1750463999";
const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const USERS = ["did:abt:z1anna", "did:abt:z1berta", "did:abt:z1carl", "did:abt:z1dora", "did:abt:z1emil"];

let server: TestServer;
const admin = () => server.client(ROOT).admin;

beforeAll(async () => {
  server = await createTestServer();
  const callWriter = createCallWriter(server.database.orm);
  // Anna has one call, Berta two and so on; Dora's and Emil's cost the same.
  await callWriter.record(
    USERS.flatMap((userDid, n) =>
      Array.from({ length: n + 1 }, (_, i) =>
        modelCall({
          id: `${n}-${i}`,
          userDid,
          appDid: n % 2 === 0 ? null : "did:app:odd",
          model: n < 3 ? "gpt-4o" : "o3",
          credits: i > 0 ? "0" : n >= 3 ? "900719925474.99300001" : `0.${n + 1}`,
        }),
      ),
    ),
  );
  await rollUp(server.database.orm);
});
afterAll(() => server.close());

describe("usage by user", () => {
  it("ranks who called most, with shares, totals and where the numbers come from", async () => {
    const ranking = await admin().usageByUser(RANGE);
    expect(ranking.items.map(({ rank, userDid, metrics }) => [rank, userDid, metrics.calls])).toEqual([
      [1, "did:abt:z1emil", 5],
      [2, "did:abt:z1dora", 4],
      [3, "did:abt:z1carl", 3],
      [4, "did:abt:z1berta", 2],
      [5, "did:abt:z1anna", 1],
    ]);
    expect(ranking.items[0]!.share).toBeCloseTo(5 / 15);
    expect(ranking).toMatchObject({
      totals: { calls: 15 },
      matched: { count: 5, metrics: { calls: 15 } },
      freshness: { source: "rollup", liveFrom: RANGE.to },
      nextCursor: null,
    });
  });

  it("orders credits exactly, and equals by name, and goes on after any page", async () => {
    const names: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await admin().usageByUser({
        ...RANGE,
        orderBy: "credits",
        limit: 2,
        ...(cursor !== undefined && { cursor }),
      });
      names.push(...page.items.map(({ userDid, rank }) => `${rank} ${userDid.slice("did:abt:z1".length)}`));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(names).toEqual(["1 dora", "2 emil", "3 carl", "4 berta", "5 anna"]);
  });

  it("finds names by a part of them, and still tells the totals of everybody", async () => {
    const found = await admin().usageByUser({ ...RANGE, search: "R", direction: "asc" });
    expect(found.items.map(({ userDid }) => userDid.slice(10))).toEqual(["berta", "carl", "dora"]);
    expect(found).toMatchObject({ totals: { calls: 15 }, matched: { count: 3, metrics: { calls: 9 } } });
    for (const search of ["%", "_", "\\", "z1nobody", "'"])
      expect(await admin().usageByUser({ ...RANGE, search })).toMatchObject({
        items: [],
        matched: { count: 0, metrics: { calls: 0, credits: "0.00000000" } },
      });
  });

  it("counts what came later, and what was deleted, at once", async () => {
    const em = server.database.orm.em.fork();
    const late = modelCall({
      id: "late",
      userDid: "did:abt:z1anna",
      callTime: new Date("2025-06-20T10:05:00Z"),
    });
    await createCallWriter(server.database.orm).record([late]);
    const anna = { ...RANGE, search: "anna" };
    expect(await admin().usageByUser(anna)).toMatchObject({
      items: [{ metrics: { calls: 2 } }],
      freshness: { source: "rollup+live" },
    });
    await em.execute("delete from model_calls where id = 'late'");
    expect(await admin().usageByUser(anna)).toMatchObject({ items: [{ metrics: { calls: 1 } }] });
  });

  it("leaves out whoever has no calls any more, rolled up or not", async () => {
    const gone = modelCall({ id: "gone", userDid: "did:abt:z1gone" });
    await createCallWriter(server.database.orm).record([gone]);
    await rollUp(server.database.orm);
    expect((await admin().usageByUser(RANGE)).matched.count).toBe(6);
    await server.database.orm.em.fork().execute("delete from model_calls where id = 'gone'");
    const found = await admin().usageByUser({ ...RANGE, search: "gone" });
    expect([found.items, found.matched.count]).toEqual([[], 0]);
  });

  it("is empty where nothing was called", async () => {
    const to = new Date("2025-01-02T00:00:00Z");
    expect(await admin().usageByUser({ from: new Date("2025-01-01T00:00:00Z"), to })).toMatchObject({
      items: [],
      totals: { calls: 0 },
      matched: { count: 0 },
      nextCursor: null,
    });
  });
});

it("ranks apps, where calls without one are an item of their own, and models with their providers", async () => {
  const apps = await admin().usageByApp(RANGE);
  expect(apps.items.map(({ appDid, metrics }) => [appDid, metrics.calls])).toEqual([
    [null, 9],
    ["did:app:odd", 6],
  ]);
  const models = await admin().usageByModel({ ...RANGE, search: "openai/G" });
  expect(models.items).toMatchObject([{ providerId: "openai", model: "gpt-4o", metrics: { calls: 6 } }]);
  const some = await admin().usageByModel({ ...RANGE, filter: { appDids: ["did:app:odd"] } });
  expect(some.items.map(({ model, metrics }) => [model, metrics.calls])).toEqual([
    ["o3", 4],
    ["gpt-4o", 2],
  ]);
});

describe("over HTTP", () => {
  it("gives the same, and says what it cost", async () => {
    const path = `/app/api/admin/usage-by/user?${QUERY}&orderBy=calls&limit=2&models=o3&models=gpt-4o`;
    const response = await server.get(path, ROOT);
    expect(response.headers.get("server-timing")).toContain('db;desc="1 statement"');
    const body = (await response.json()) as { items: unknown[]; nextCursor: string };
    expect(body).toMatchObject({
      items: [{ userDid: USERS[4], rank: 1 }, { rank: 2 }],
      totals: { calls: 15 },
    });
    const next = await server.get(`${path}&cursor=${body.nextCursor}`, ROOT);
    expect(await next.json()).toMatchObject({ items: [{ rank: 3 }, { rank: 4 }] });
  });

  it.each([
    ["orderBy=spend", "invalid_option", "orderBy"],
    ["direction=up", "invalid_option", "direction"],
    ["limit=0", "invalid_option", "limit"],
    ["limit=201", "invalid_option", "limit"],
    ["limit=1e1", "invalid_option", "limit"],
    ["search=", "invalid_option", "search"],
    ["types=chat", "invalid_option", "filter.types.0"],
    ["cursor=x", "invalid_cursor", "cursor"],
    ["limit=1&limit=2", "invalid_option", "limit"],
    ["userDid=a", "unknown_field", "userDid"],
    ["timezone=UTC", "unknown_field", "timezone"],
  ])("refuses %s", async (query, code, field) => {
    const response = await server.get(`/app/api/admin/usage-by/model?${QUERY}&${query}`, ROOT);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code, field });
  });
});

it("refuses a cursor of another question, and one that was made up", async () => {
  const { nextCursor } = await admin().usageByUser({ ...RANGE, limit: 2 });
  const cursor = nextCursor!;
  const edit = (from: string, to: string) =>
    Buffer.from(Buffer.from(cursor, "base64url").toString().replace(from, to)).toString("base64url");
  const refused = [
    admin().usageByApp({ ...RANGE, cursor }),
    admin().usageByUser({ ...RANGE, cursor, orderBy: "credits" }),
    admin().usageByUser({ ...RANGE, cursor, direction: "asc" }),
    admin().usageByUser({ ...RANGE, cursor, search: "a" }),
    admin().usageByUser({ ...RANGE, cursor, filter: { models: ["o3"] } }),
    admin().usageByUser({ ...RANGE, cursor, to: new Date("2025-06-20T23:00:00Z") }),
    admin().usageByUser({ ...RANGE, cursor: `${cursor}=` }),
    admin().usageByUser({ ...RANGE, cursor: edit('"4"', '"1e9"') }),
    admin().usageByUser({ ...RANGE, cursor: edit('"4"', "4") }),
    admin().usageByUser({ ...RANGE, cursor: edit("dora", "do\\u0000ra") }),
    admin().usageByUser({ ...RANGE, cursor: Buffer.from("[]").toString("base64url") }),
  ];
  for (const refusal of await Promise.all(refused.map((asked) => asked.catch(usageStatsErrorOf))))
    expect(refusal).toMatchObject({ code: "invalid_cursor", field: "cursor" });
  expect((await admin().usageByUser({ ...RANGE, cursor, limit: 1 })).items).toMatchObject([{ rank: 3 }]);
});
