import { createInProcessCache, type SharedCache } from "@usage-stats/cache";
import { createCallWriter, createUsageRepository } from "@usage-stats/db";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type CacheWarmer, createCacheWarmer } from "../src/serve/cache-warmer.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
let now: Date;
let cache: SharedCache;
let server: TestServer;
let warmer: CacheWarmer;

beforeEach(async () => {
  now = new Date("2025-06-20T12:03:07Z");
  const clock = { now: () => now };
  cache = createInProcessCache({ clock, ttlMs: 3_600_000, maxBytes: 50_000_000 });
  server = await createTestServer({
    now: clock.now,
    cache,
    onQuery: (format, query) => warmer.onQuery(format, query),
  });
  const repository = createUsageRepository(server.database.orm);
  warmer = createCacheWarmer({ repository, cache, clock }, (error) => {
    throw error;
  });
  await createCallWriter(server.database.orm).record([modelCall()]);
});
afterEach(async () => {
  await warmer.close();
  await server.close();
});

const seconds = (instant: Date) => Math.floor(instant.getTime() / 1000);

/** The page's default: thirty days up to now. */
const restNow = () =>
  `/app/api/user/usage-stats?startTime=${seconds(now) - 30 * 86_400}&endTime=${seconds(now)}`;

async function cacheStatusOf(path: string): Promise<string> {
  const { headers } = await server.get(path, { user: ALICE });
  return headers.get("cache-status")!;
}

it("has an answer ready after a change that was asked for before it, of a settled range and of one up to now", async () => {
  const settled = "/app/api/user/usage-stats?startTime=1750204800&endTime=1750377599";
  await cacheStatusOf(settled);
  await cacheStatusOf(restNow());
  await cache.invalidate([ALICE]);
  await warmer.warm(ALICE);
  await cache.close();
  expect(await cacheStatusOf(settled)).toMatch(/; hit/);
  expect(await cacheStatusOf(restNow())).toMatch(/; hit/);
});

it("moves a range up to now on to the next quarter of an hour", async () => {
  await cacheStatusOf(restNow());
  now = new Date("2025-06-20T12:16:05Z");
  await warmer.warm(ALICE);
  await cache.close();
  expect(await cacheStatusOf(restNow())).toMatch(/; hit/);
});

it("asks again for nobody but those whose calls have changed", async () => {
  await cacheStatusOf(restNow());
  await cache.invalidate([ALICE]);
  await warmer.warm("did:abt:z1bob");
  expect(await cacheStatusOf(restNow())).toMatch(/fwd=miss/);
});
