import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { announceOver, createEar, type Ear, listenForChanges } from "../../src/index.ts";
import {
  createTestDatabase,
  startTcpProxy,
  type TcpProxy,
  type TestDatabase,
} from "../../src/testing/index.ts";

const BOUND_MS = 900;
// What a busy machine may add.
const SLACK_MS = 700;

let database: TestDatabase;
let proxy: TcpProxy;
let ear: Ear;
let told: string[];
let reasons: unknown[];
let listener: { close(): Promise<void> };

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
  ear = createEar({ boundMs: BOUND_MS, clock: { now: () => new Date() } });
  told = [];
  reasons = [];
  listener = listenForChanges(proxy.url, {
    ear,
    announce: announceOver(database.orm),
    onChange: (userDid) => told.push(userDid ?? "everybody"),
    onMissed: () => told.push("missed"),
    onHearing: () => told.push("hears"),
    onDeaf(why) {
      reasons.push(why);
      told.push("deaf");
    },
  });
  await vi.waitUntil(() => ear.hears(), { timeout: 10_000 });
});
afterEach(async () => {
  await listener.close();
  await proxy.close();
  await database.close();
});

const announce = (payload: string) =>
  database.orm.em.fork().execute("select pg_notify('usage_stats_changes', ?)", [payload]);
const untilItHears = () => vi.waitUntil(() => ear.hears(), { timeout: 15_000, interval: 5 });

it("hears, and goes on hearing, once a nonce has come back on the connection that listens", async () => {
  expect(told).toEqual(["missed", "hears"]);
  const until = performance.now() + 3 * BOUND_MS;
  while (performance.now() < until) {
    expect(ear.hears()).toBe(true);
    await sleep(20);
  }
  await announce("alice");
  await vi.waitFor(() => expect(told.at(-1)).toBe("alice"));
  expect(proxy.accepted).toBe(1);
});

it("does not hear any more, within the bound, on a connection that stays open and brings nothing", async () => {
  const started = performance.now();
  proxy.mode = "swallow";
  await announce("alice");
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000, interval: 5 });
  expect(performance.now() - started).toBeLessThan(BOUND_MS + SLACK_MS);
  await vi.waitFor(() => expect(told.at(-1)).toBe("deaf"), { timeout: 5_000 });
  expect(String(reasons[0])).toContain("did not come back");
});

it("makes a connection that brings nothing anew, and counts all as missed before it hears again", async () => {
  proxy.mode = "swallow";
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await announce("alice");
  proxy.mode = "pass";
  await untilItHears();
  expect(told).toEqual(["missed", "hears", "deaf", "missed", "hears"]);
  expect(proxy.accepted).toBeGreaterThan(1);
  await announce("bob");
  await vi.waitFor(() => expect(told.at(-1)).toBe("bob"));
});

it("says once that it is deaf, however often it fails to connect", async () => {
  proxy.mode = "refuse";
  proxy.cut();
  await vi.waitUntil(() => proxy.accepted > 3, { timeout: 15_000 });
  expect(ear.hears()).toBe(false);
  expect(told).toEqual(["missed", "hears", "deaf"]);
  proxy.mode = "pass";
  await untilItHears();
  expect(told).toEqual(["missed", "hears", "deaf", "missed", "hears"]);
});

it("stops hearing the moment the connection is cut", async () => {
  await database.orm.em
    .fork()
    .execute(
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'usage-stats listener' and datname = current_database()",
    );
  await vi.waitUntil(() => !ear.hears(), { timeout: 500, interval: 1 });
  await untilItHears();
  expect(told).toEqual(["missed", "hears", "deaf", "missed", "hears"]);
});

it("does not wait for what never answers when it is closed", async () => {
  proxy.mode = "swallow";
  const started = performance.now();
  await listener.close();
  expect(performance.now() - started).toBeLessThan(5_000);
});

describe("a connection that is slow", () => {
  it("hears as long as what it brings is within the bound", async () => {
    proxy.delayMs = 150;
    await sleep(3 * BOUND_MS);
    expect(told).toEqual(["missed", "hears"]);
    expect(ear.hears()).toBe(true);
  });

  it("is made anew where it is slower than that", async () => {
    proxy.delayMs = 2 * BOUND_MS;
    await vi.waitUntil(() => told.includes("deaf"), { timeout: 10_000 });
    expect(ear.hears()).toBe(false);
    proxy.delayMs = 0;
    await untilItHears();
    expect(told).toEqual(["missed", "hears", "deaf", "missed", "hears"]);
  });
});
