import {
  type CacheSettings,
  createInProcessCache,
  createUpstashCache,
  type SharedCache,
} from "@usage-stats/cache";
import {
  createMemoryRunner,
  createRedisRunner,
  findRedisServer,
  startRedisServer,
  startUpstashBridge,
} from "@usage-stats/upstash-bridge";
import { type CacheChoice } from "../env.ts";
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
  if (findRedisServer() === null) {
    const bridge = await startUpstashBridge({ runner: createMemoryRunner() });
    closers.add(bridge.close);
    log(
      `cache: an Upstash REST bridge at ${bridge.url} (no redis-server is installed: it keeps values itself)`,
    );
    return bridge;
  }
  const redis = await startRedisServer();
  closers.add(redis.stop);
  const runner = await createRedisRunner(redis.url);
  const bridge = await startUpstashBridge({ runner });
  closers.add(bridge.close);
  log(`cache: an Upstash REST bridge at ${bridge.url}; watch it with: redis-cli -p ${redis.port} monitor`);
  return bridge;
}
