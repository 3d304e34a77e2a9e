import {
  type CacheSettings,
  createInProcessCache,
  createUpstashCache,
  type SharedCache,
} from "@usage-stats/cache";
import { type CacheChoice } from "../settings/settings.ts";
import { OperatorError } from "../operator-error.ts";
import { Closers } from "./closers.ts";

/** Opens the cache that the settings choose; `null` for none. Says on the log what people may want to look into. */
export async function openCache(
  choice: CacheChoice,
  settings: CacheSettings,
  closers: Closers,
  log: (text: string) => void,
): Promise<SharedCache | null> {
  const cache = await create(choice, settings, closers, log);
  if (cache !== null) closers.add(() => cache.close());
  return cache;
}

async function create(
  choice: CacheChoice,
  settings: CacheSettings,
  closers: Closers,
  log: (text: string) => void,
): Promise<SharedCache | null> {
  switch (choice.kind) {
    case "off":
      return null;
    case "in-process":
      return createInProcessCache({ ...settings, maxBytes: choice.maxBytes });
    case "upstash":
      return createUpstashCache({ ...settings, ...choice });
    case "bridge":
      return createUpstashCache({ ...settings, ...choice, ...(await startBridge(closers, log)) });
  }
}

/** A stand-in for Upstash on this machine, in front of a real Redis where one is installed. */
async function startBridge(closers: Closers, log: (text: string) => void) {
  // Only here, so that a server with another cache does not load it.
  const [{ findRedisServer, RedisStartError }, { startLocalUpstash }] = await Promise.all([
    import("@usage-stats/dev-services/redis"),
    import("@usage-stats/dev-services/upstash"),
  ]);
  const over = findRedisServer() === null ? "memory" : "redis";
  const { url, token, redis, close } = await startLocalUpstash(over).catch((error: unknown) => {
    if (!(error instanceof RedisStartError)) throw error;
    throw new OperatorError(`CACHE=bridge needs a redis-server that runs. ${error.message}`, {
      cause: error,
    });
  });
  closers.add(close);
  const behind = redis
    ? `; watch it with: redis-cli -p ${redis.port} monitor`
    : " (no redis-server is installed: it keeps values itself)";
  log(`cache: an Upstash REST bridge at ${url}${behind}`);
  return { url, token };
}
