import { setTimeout as sleep } from "node:timers/promises";
import { createCallWriter, createEar, type Ear } from "@usage-stats/db";
import { createTestDatabase, startTcpProxy, type TcpProxy, type TestDatabase } from "@usage-stats/db/testing";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { type CacheAdapter, describeCaches } from "./cache-adapters.ts";
import { createMetrics, type ServerMetrics } from "../src/serve/metrics.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const BOUND_MS = 1_000;
const now = new Date("2025-06-20T12:00:00Z");
const clock = { now: () => now };
const ALICE = "did:abt:z1alice";
const RANGE = { from: new Date("2025-06-13T00:00:00Z"), to: new Date("2025-06-20T11:00:00Z") };
const REST = `/app/api/user/usage-stats?startTime=${RANGE.from.getTime() / 1000}&endTime=${RANGE.to.getTime() / 1000 - 1}`;

describeCaches((open) => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let adapter: CacheAdapter;
  let ear: Ear;
  let server: TestServer;
  let metrics: ServerMetrics;
  let listener: { close(): Promise<void> };
  let written: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    proxy = await startTcpProxy(database.url);
    adapter = await open();
    ear = createEar({ boundMs: BOUND_MS, clock: { now: () => new Date() } });
    const cache = adapter.cache(clock, () => {}, ear.hears);
    metrics = createMetrics();
    metrics.watchEar(ear);
    server = await createTestServer({ now: clock.now, database, cache, metrics, hears: ear.hears });
    listener = server.listen(ear, proxy.url);
    written = 0;
    await writeByOthers();
    await expectKept();
  });
  afterEach(async () => {
    await listener.close();
    await server.close();
    await proxy.close();
    await adapter.close();
    await database.close();
  });

  /** As psql does: no server knows of it but by what the database announces. */
  async function writeByOthers(): Promise<void> {
    const id = String(written + 1);
    await createCallWriter(database.orm).record([
      modelCall({ id, callTime: new Date("2025-06-15T08:00:00Z"), credits: "1" }),
    ]);
    written += 1;
  }

  async function ask(): Promise<{ credits: number; status: string }> {
    const response = await server.get(REST, { user: ALICE });
    const { summary } = (await response.json()) as { summary: { totalCredits: number } };
    return { credits: summary.totalCredits, status: response.headers.get("cache-status")! };
  }

  const expectKept = () =>
    expect
      .poll(ask, { timeout: 15_000 })
      .toEqual({ credits: written, status: expect.stringMatching(/; hit/) as string });
  const untilDeaf = () => vi.waitUntil(() => !ear.hears(), { timeout: 10_000, interval: 2 });

  /** By tRPC and by REST, which keep apart what they answer. */
  async function expectRight(): Promise<void> {
    expect(await ask()).toEqual({ credits: written, status: expect.stringMatching(/fwd=bypass/) as string });
    const { totals } = await server.client({ user: ALICE }).usageStats(RANGE);
    expect(Number(totals.credits)).toBe(written);
  }

  it("has in the very next answer what others wrote while its connection was cut, and keeps again after it", async () => {
    proxy.mode = "refuse";
    proxy.cut();
    await untilDeaf();
    for (let i = 0; i < 5; i++) {
      await writeByOthers();
      await expectRight();
      await expectRight();
    }
    proxy.mode = "pass";
    await expectKept();
  });

  it("has it as soon as the bound is over where the connection stays open and brings nothing", async () => {
    proxy.mode = "swallow";
    await writeByOthers();
    await sleep(BOUND_MS);
    await expectRight();
    await writeByOthers();
    await expectRight();
    proxy.mode = "pass";
    await expectKept();
  });

  it("leaves out nothing that was committed a bound before the question, whatever becomes of the connection", async () => {
    const committedAt: number[] = [performance.now()];
    const over = new AbortController();
    let hits = 0;
    let queries = 0;

    async function write(): Promise<void> {
      while (!over.signal.aborted) {
        await writeByOthers();
        committedAt.push(performance.now());
        await sleep(200);
      }
    }
    async function read(): Promise<void> {
      while (!over.signal.aborted) {
        const asked = performance.now();
        const least = committedAt.filter((at) => at < asked - BOUND_MS).length;
        const { credits, status } = await ask();
        expect(credits).toBeGreaterThanOrEqual(least);
        if (status.includes("; hit")) hits += 1;
        queries += 1;
        await sleep(5);
      }
    }
    async function disturb(): Promise<void> {
      for (const mode of ["swallow", "pass", "refuse", "pass", "swallow", "refuse", "pass"] as const) {
        await sleep(700);
        proxy.mode = mode;
        if (mode === "refuse") proxy.cut();
        if (mode === "pass") await vi.waitUntil(() => ear.hears(), { timeout: 15_000 });
      }
      await sleep(700);
    }
    await Promise.all([write(), read(), read(), disturb().finally(() => over.abort())]);
    await expectKept();
    expect(queries).toBeGreaterThan(50);
    expect(hits).toBeGreaterThan(10);
  }, 60_000);

  it("stays ready, and says so, counts it and logs it once", async () => {
    expect(await (await server.request("/ready")).json()).toEqual({ status: "ready" });
    expect(await metrics.text()).toMatch(/^usage_stats_ear_state 1$/m);
    expect(await metrics.text()).toMatch(/^usage_stats_ear_losses_total 0$/m);
    expect(await metrics.text()).toMatch(/^usage_stats_ear_seconds_since_proof [01]\.\d+$/m);
    proxy.mode = "refuse";
    proxy.cut();
    await untilDeaf();
    const ready = await server.request("/ready");
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({
      status: "ready",
      notices: [expect.stringContaining("announcements are not heard")],
    });
    expect(await metrics.text()).toMatch(/^usage_stats_ear_state 0$/m);
    expect(await metrics.text()).toMatch(/^usage_stats_ear_losses_total 1$/m);
    expect(await metrics.text()).toMatch(/^usage_stats_ear_seconds_since_proof \+Inf$/m);
    await vi.waitUntil(() => proxy.accepted > 3, { timeout: 15_000 });
    proxy.mode = "pass";
    await vi.waitUntil(() => ear.hears(), { timeout: 15_000 });
    expect(await (await server.request("/ready")).json()).toEqual({ status: "ready" });
    expect(server.logged).toEqual([
      expect.stringMatching(
        /^changes: the database's announcements are not heard.*: .*(ended|does not answer)/,
      ),
      expect.stringMatching(/^changes: the database's announcements are heard again, after [\d.]+ s$/),
    ]);
  });
});

it.each(["swallow", "refuse"] as const)(
  "starts deaf where connections %s from the beginning",
  async (mode) => {
    const server = await createTestServer();
    const proxy = await startTcpProxy(server.database.url);
    proxy.mode = mode;
    const ear = createEar({ boundMs: BOUND_MS, clock: { now: () => new Date() } });
    const listener = server.listen(ear, proxy.url);
    await listener.settled;
    expect(ear.hears()).toBe(false);
    expect(server.logged).toEqual([expect.stringContaining("are not heard")]);
    proxy.mode = "pass";
    await vi.waitUntil(() => ear.hears(), { timeout: 15_000 });
    await listener.close();
    await proxy.close();
    await server.close();
  },
);
