import { randomUUID } from "node:crypto";
import { type RedisServer } from "@usage-stats/dev-services/redis";
import {
  type LocalUpstash,
  startLocalUpstash,
  startUpstashBridge,
  type UpstashBridge,
} from "@usage-stats/dev-services/upstash";
import { describeWithRedis } from "@usage-stats/dev-services/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CacheEvent } from "../src/cache-events.ts";
import { createUpstashCache } from "../src/create-caches.ts";
import { type SharedCache } from "../src/result-cache.ts";
import { clock } from "./stores.ts";
import { FAULTS, startSwitchableUpstash, type SwitchableUpstash, type Fault } from "./switchable-upstash.ts";
import { createVersionedCalls } from "./versioned-calls.ts";

const DEADLINE_MS = 100;
// What a busy machine may add.
const SLACK_MS = 400;

let alice: string;
let events: CacheEvent[];
let cache: SharedCache;
let calls: ReturnType<typeof createVersionedCalls>;

function connect({ url, token }: { url: string; token: string }): void {
  alice = `did:abt:z1${randomUUID()}`;
  events = [];
  cache = createUpstashCache({
    url,
    token,
    clock,
    ttlMs: 60_000,
    deadlineMs: DEADLINE_MS,
    retryMs: 20,
    breaker: { failures: 3, openMs: 50 },
    onEvent: (event) => events.push(event),
  });
  calls = createVersionedCalls([cache]);
}

async function expectHitSoon(): Promise<void> {
  await expect.poll(async () => (await calls.ask(cache, alice)).hit, { timeout: 5_000 }).toBe(true);
}

/** Whatever goes wrong: right answers in time, a breaker that opens, and everything as before when it is over. */
async function expectToSurvive(begin: () => unknown, end: () => unknown): Promise<void> {
  await expectHitSoon();
  await begin();
  for (let i = 0; i < 10; i++) {
    // While nobody can be told, nothing from before a change may be given.
    if (i === 5) await calls.change(alice);
    const { durationMs } = await calls.ask(cache, alice);
    expect(durationMs).toBeLessThan(DEADLINE_MS + SLACK_MS);
  }
  expect(events).toContainEqual({ type: "breaker", state: "open" });
  expect(events).toContainEqual(expect.objectContaining({ type: "failure" }));
  expect(events).toContainEqual({ type: "invalidation", outcome: "deferred", count: 2 });
  await end();
  await expectHitSoon();
  expect(events.findLast(({ type }) => type === "breaker")).toEqual({ type: "breaker", state: "closed" });
}

describe("an Upstash that", () => {
  let bridge: UpstashBridge;
  let upstash: SwitchableUpstash;
  beforeAll(async () => {
    bridge = await startUpstashBridge();
    upstash = await startSwitchableUpstash(bridge);
  });
  beforeEach(() => connect({ url: upstash.url, token: bridge.token }));
  afterEach(() => cache.close());
  afterAll(async () => {
    await upstash.close();
    await bridge.close();
  });

  it.each(Object.keys(FAULTS) as Fault[])("%s changes no answer, and holds none up", async (fault) => {
    await expectToSurvive(
      () => (upstash.fault = fault),
      () => (upstash.fault = null),
    );
  });

  it("is asked nothing while the breaker is open, but for one attempt at a time", async () => {
    upstash.fault = "answers 503 with a page";
    for (let i = 0; i < 50; i++) await calls.ask(cache, alice);
    expect(events.filter(({ type }) => type === "failure").length).toBeLessThan(10);
    upstash.fault = null;
  });
});

describe("an Upstash whose token is wrong", () => {
  it("changes no answer", async () => {
    const bridge = await startUpstashBridge();
    connect({ url: bridge.url, token: "wrong" });
    expect((await calls.ask(cache, alice)).hit).toBe(false);
    expect((await calls.ask(cache, alice)).hit).toBe(false);
    await cache.close();
    await bridge.close();
  });
});

describeWithRedis("a Redis that", () => {
  let local: LocalUpstash;
  let redis: RedisServer;
  beforeEach(async () => {
    local = await startLocalUpstash("redis");
    redis = local.redis!;
    connect(local);
  });
  afterEach(async () => {
    await cache.close();
    await local.close();
  });

  it("is killed and comes back empty changes no answer, and holds none up", async () => {
    await expectToSurvive(redis.kill, redis.restart);
  });

  it("hangs changes no answer, and holds none up", async () => {
    await expectToSurvive(redis.pause, redis.resume);
  });

  it("restarts empty between two questions changes no answer", async () => {
    await expectHitSoon();
    await redis.restart();
    await calls.change(alice);
    await calls.ask(cache, alice);
    await expectHitSoon();
  });

  it("has something of another type in the cache's place is put right", async () => {
    await expectHitSoon();
    const keys = (await local.runner.run(["KEYS", "*"])) as Buffer[];
    for (const key of keys) {
      await local.runner.run(["DEL", String(key)]);
      await local.runner.run(["RPUSH", String(key), "a list"]);
    }
    await calls.change(alice);
    await calls.ask(cache, alice);
    await expectHitSoon();
  });
});
