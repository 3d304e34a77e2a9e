import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { announceOver, type Announce, createEar, type Ear, listenForChanges } from "../../src/index.ts";
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

it("does not hear while no nonce can be sent, but drops nothing: what is announced still arrives on the same connection", async () => {
  announce = () => Promise.reject(new Error("no connection is free"));
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await announceOver(database.orm)("usage_stats_changes", "alice");
  await vi.waitFor(() => expect(told).toContain("alice"));
  await vi.waitFor(() => expect(told).toContain("deaf: Error: no connection is free"), { timeout: 5_000 });
  announce = announceOver(database.orm);
  await vi.waitUntil(() => ear.hears(), { timeout: 10_000 });
  expect(told.filter((text) => text === "missed")).toHaveLength(1);
  expect(told.at(-1)).toBe("hears");
  expect(proxy.accepted).toBe(1);
});

it("does not hear while sending a nonce hangs, also where the connection that listens brings nothing", async () => {
  let sends = 0;
  announce = () => {
    sends += 1;
    return new Promise(() => {});
  };
  proxy.mode = "swallow";
  await vi.waitUntil(() => !ear.hears(), { timeout: 10_000 });
  await sleep(3 * BOUND_MS);
  expect(ear.hears()).toBe(false);
  // What hangs is not asked again and again.
  expect(sends).toBe(1);
});
