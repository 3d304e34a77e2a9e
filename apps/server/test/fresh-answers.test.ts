import { invalidatingWriter, type SharedCache } from "@usage-stats/cache";
import { type CallWriter } from "@usage-stats/core";
import { createCallWriter, listenForChanges, rollUp } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase, testEar } from "@usage-stats/db/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CacheAdapter, describeCaches, describeSharedCaches } from "./cache-adapters.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const now = new Date("2025-06-20T12:00:00Z");
const clock = { now: () => now };
const ALICE = "did:abt:z1alice";
const admin = { user: "did:abt:z1root", role: "admin" as const };
const FROM = new Date("2025-06-13T00:00:00Z");
const CLOSED = new Date("2025-06-20T11:00:00Z");
const OPEN = new Date("2025-06-21T00:00:00Z");
const late = modelCall({ id: "late", callTime: new Date("2025-06-15T08:00:00Z"), credits: "5" });

/** One server's queries whose answers hold Alice's calls: of her and of everyone, settled and not, by tRPC and REST. */
const QUESTIONS: [string, (server: TestServer) => Promise<number>][] = [CLOSED, OPEN].flatMap((to) => {
  const seconds = (instant: Date) => instant.getTime() / 1000;
  const range = { from: FROM, to };
  const rest = `startTime=${seconds(FROM)}&endTime=${seconds(to) - 1}`;
  const summaryOf = async (response: Response) =>
    ((await response.json()) as { summary: { totalCredits: number } }).summary.totalCredits;
  const name = to === CLOSED ? "settled" : "up to now";
  return [
    [
      `hers ${name}, by tRPC`,
      async (server) => Number((await server.client({ user: ALICE }).usageStats(range)).totals.credits),
    ],
    [
      `everyone's ${name}, by tRPC`,
      async (server) => Number((await server.client(admin).admin.usageStats(range)).totals.credits),
    ],
    [
      `hers ${name}, by REST`,
      async (server) => summaryOf(await server.get(`/app/api/user/usage-stats?${rest}`, { user: ALICE })),
    ],
    [
      `everyone's ${name}, by REST`,
      async (server) => summaryOf(await server.get(`/app/api/user/admin/user-stats?${rest}`, admin)),
    ],
  ];
});

describeCaches((open) => {
  let database: TestDatabase;
  let adapter: CacheAdapter;
  let caches: SharedCache[];
  let servers: TestServer[];
  let callWriter: CallWriter;
  let heard: Promise<void>[] = [];
  let fences = 0;
  let listener: { close(): Promise<void> };

  beforeAll(async () => {
    database = await createTestDatabase();
    adapter = await open();
    caches = [adapter.cache(clock), adapter.cache(clock)];
    servers = await Promise.all(caches.map((cache) => createTestServer({ now: clock.now, database, cache })));
    callWriter = invalidatingWriter(createCallWriter(database.orm), caches[0]!, clock);
    // As a server that runs wires them.
    const listening = Promise.withResolvers<void>();
    listener = listenForChanges(database.url, {
      ...testEar(database),
      onChange(userDid) {
        if (userDid === "fence") fences += 1;
        for (const cache of caches)
          heard.push(userDid === null ? cache.invalidateAll() : cache.invalidate([userDid]));
      },
      onMissed: () => {},
      onHearing: listening.resolve,
      onDeaf: (why) => expect.unreachable(String(why)),
    });
    await listening.promise;
  });
  beforeEach(async () => {
    await run("delete from model_calls");
    await callWriter.record([modelCall({ id: "known" })]);
    await rollUp(database.orm);
    await allHeard();
    await expectEverywhere(0.1);
    await Promise.all(caches.map((cache) => cache.close()));
    await expectKept();
  });
  afterAll(async () => {
    await listener.close();
    for (const server of servers) await server.close();
    await adapter.close();
    await database.close();
  });

  const run = (sql: string) => database.orm.em.fork().execute(sql);

  /** Waits until the servers have heard everything that the database has announced so far. */
  async function allHeard(): Promise<void> {
    const before = fences;
    await run("select pg_notify('usage_stats_changes', 'fence')");
    await expect.poll(() => fences).toBe(before + 1);
    await Promise.all(heard);
    heard = [];
  }

  async function expectEverywhere(credits: number, asked = servers): Promise<void> {
    for (const server of asked)
      for (const [name, ask] of QUESTIONS) expect([name, await ask(server)]).toEqual([name, credits]);
  }

  /** Nothing here would show anything if answers were not kept. */
  async function expectKept(): Promise<void> {
    const range = `startTime=${FROM.getTime() / 1000}&endTime=${CLOSED.getTime() / 1000 - 1}`;
    for (const server of servers) {
      const { headers } = await server.get(`/app/api/user/usage-stats?${range}`, { user: ALICE });
      expect(headers.get("cache-status")).toMatch(/; hit/);
    }
  }

  it("shows a late call in the very next answer after it was acknowledged", async () => {
    await callWriter.record([late]);
    await expectEverywhere(5.1, [servers[0]!]);
    await allHeard();
    await expectEverywhere(5.1);
  });

  it("shows a correction in the very next answer after it was acknowledged", async () => {
    await callWriter.record([modelCall({ id: "known", credits: "7" })]);
    await expectEverywhere(7, [servers[0]!]);
    await allHeard();
    await expectEverywhere(7);
  });

  it("shows a call that somebody else wrote, or deleted, once the database has announced it", async () => {
    await createCallWriter(database.orm).record([late]);
    await allHeard();
    await expectEverywhere(5.1);
    await run("delete from model_calls where id = 'late'");
    await allHeard();
    await expectEverywhere(0.1);
  });

  it("shows what rolling up changes nothing about", async () => {
    await callWriter.record([late]);
    await rollUp(database.orm);
    await allHeard();
    await expectEverywhere(5.1);
  });

  describe("a rebuild", () => {
    const rebuild = async (server: TestServer, body: object) =>
      server.request("/app/api/admin/rebuild", {
        method: "POST",
        body: JSON.stringify(body),
        headers: { ...(await server.signed(admin)).headers, "content-type": "application/json" },
      });

    it.each([
      ["of one user", { userDid: ALICE }],
      ["of everything", {}],
    ])("%s shows in the very next answer of a server that kept what was wrong", async (_, body) => {
      await run("update model_call_stats set credits = credits + 100");
      await Promise.all(caches.map((cache) => cache.invalidateAll()));
      await Promise.all(servers.map((server) => Promise.all(QUESTIONS.map(([, ask]) => ask(server)))));
      const wrong = await QUESTIONS[0]![1](servers[0]!);
      expect(wrong).toBeGreaterThan(100);
      expect((await rebuild(servers[0]!, body)).status).toBe(202);
      await expectEverywhere(0.1, [servers[0]!]);
      await allHeard();
      await expectEverywhere(0.1);
    });
  });
});

describeSharedCaches((open) => {
  it("shows what one server acknowledged in the very next answer of another", async () => {
    const adapter = await open();
    const database = await createTestDatabase();
    const caches = [adapter.cache(clock), adapter.cache(clock)];
    const servers = await Promise.all(
      caches.map((cache) => createTestServer({ now: clock.now, database, cache })),
    );
    const recorders = caches.map((cache) => invalidatingWriter(createCallWriter(database.orm), cache, clock));
    for (let i = 1; i <= 6; i++) {
      await recorders[i % 2]!.record([{ ...late, id: String(i), credits: "1" }]);
      for (const [name, ask] of QUESTIONS)
        expect([name, await ask(servers[(i + 1) % 2]!)]).toEqual([name, i]);
      await Promise.all(caches.map((cache) => cache.close()));
    }
    for (const server of servers) await server.close();
    await adapter.close();
    await database.close();
  });
});
