import { startRedisServer } from "@usage-stats/dev-services/redis";
import { createRedisRunner, startUpstashBridge } from "@usage-stats/dev-services/upstash";
import { describeWithRedis } from "@usage-stats/dev-services/testing";
import { expect, it } from "vitest";
import { type CacheEvent } from "../src/cache-events.ts";
import { createUpstashCache } from "../src/create-caches.ts";
import { ask } from "./ask.ts";
import { clock } from "./stores.ts";

describeWithRedis("a Redis user with the rights that docs/operating.md names", () => {
  it("is enough for a cache", async () => {
    const redis = await startRedisServer();
    const root = await createRedisRunner(redis.url);
    await root.run("ACL SETUSER cache on >pw ~usage-stats:* +set +mget +eval".split(" "));
    const runner = await createRedisRunner(redis.url.replace("redis://", "redis://cache:pw@"));
    const bridge = await startUpstashBridge({ runner });
    const events: CacheEvent[] = [];
    const cache = createUpstashCache({
      ...bridge,
      clock,
      ttlMs: 60_000,
      deadlineMs: 2_000,
      onEvent: (event) => events.push(event),
    });
    const entry = { kind: "answer", userDid: "did:abt:z1alice", fields: [] };
    await ask(cache, entry);
    await cache.close();
    expect((await ask(cache, entry)).hit).toBe(true);
    await cache.invalidateAll();
    expect((await ask(cache, entry)).hit).toBe(false);
    expect(events.filter(({ type }) => type === "failure")).toEqual([]);
    await cache.close();
    await bridge.close();
    await runner.close();
    await root.close();
    await redis.stop();
  });
});
