import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  announceOver,
  type Announce,
  createEar,
  type Ear,
  listenForChanges,
  openDatabase,
} from "../../src/index.ts";
import {
  createTestDatabase,
  startTcpProxy,
  type TcpProxy,
  type TestDatabase,
} from "../../src/testing/index.ts";

const BOUND_MS = 900;

let database: TestDatabase;
let proxy: TcpProxy;
let ear: Ear;
let announce: Announce;
let told: string[];
let listener: { close(): Promise<void> };

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
  ear = createEar({ boundMs: BOUND_MS, clock: { now: () => new Date() } });
  announce = announceOver(database.orm);
  told = [];
  listener = listenForChanges(proxy.url, {
    ear,
    announce: (channel, nonce) => announce(channel, nonce),
    onChange: (userDid) => told.push(userDid ?? "everybody"),
    onMissed: () => told.push("missed"),
    onHearing: () => told.push("hears"),
    onDeaf: (why) => told.push(`deaf: ${String(why)}`),
  });
  await vi.waitUntil(() => ear.hears(), { timeout: 10_000 });
});
afterEach(async () => {
  await listener.close();
  await proxy.close();
  await database.close();
});

it("goes on hearing where one nonce cannot be sent and the next one can", async () => {
  let failures = 0;
  announce = async (channel, nonce) => {
    failures += 1;
    if (failures % 2 === 1) throw new Error("no connection is free");
    await announceOver(database.orm)(channel, nonce);
  };
  const until = performance.now() + 4 * BOUND_MS;
  while (performance.now() < until) {
    expect(ear.hears()).toBe(true);
    await sleep(20);
  }
  expect(told).toEqual(["missed", "hears"]);
});

it("does not hear where no nonce can be sent, and counts all as missed after it", async () => {
  announce = () => Promise.reject(new Error("no connection is free"));
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await vi.waitFor(() => expect(told.at(-1)).toBe("deaf: Error: no connection is free"), { timeout: 5_000 });
  announce = announceOver(database.orm);
  await vi.waitUntil(() => ear.hears(), { timeout: 10_000 });
  expect(told.slice(-2)).toEqual(["missed", "hears"]);
});

it("does not hear where sending a nonce hangs", async () => {
  announce = () => new Promise(() => {});
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await vi.waitFor(() => expect(told.at(-1)).toMatch(/^deaf: Deaf: nothing could be announced within/), {
    timeout: 5_000,
  });
});

it("hears again after every connection hung, the pool's too", async () => {
  const pool = await openDatabase({ url: proxy.url, poolSize: 2 });
  announce = announceOver(pool);
  await sleep(BOUND_MS);
  proxy.mode = "swallow";
  await announceOver(database.orm)("usage_stats_changes", "alice");
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await sleep(2 * BOUND_MS);
  proxy.mode = "pass";
  await vi.waitUntil(() => ear.hears(), { timeout: 20_000 });
  expect(told.slice(-2)).toEqual(["missed", "hears"]);
  proxy.cut();
  await pool.close(true);
});
