import { createMemoryRunner } from "./create-memory-runner.ts";
import { createRedisRunner } from "./create-redis-runner.ts";
import { type CommandRunner } from "./command-runner.ts";
import { type RedisServer, startRedisServer } from "../redis/start-redis-server.ts";
import { startUpstashBridge, type UpstashBridge } from "./start-upstash-bridge.ts";

/** A bridge with all that is behind it. */
export interface LocalUpstash extends UpstashBridge {
  runner: CommandRunner;
  /** The Redis behind it; null where the bridge keeps values itself. */
  redis: RedisServer | null;
}

/**
 * Starts a bridge over a Redis of its own, or over the in-process store; `close()` ends everything that was started.
 * @throws RedisStartError when a Redis is wanted and there is none on the PATH.
 */
export async function startLocalUpstash(over: "redis" | "memory"): Promise<LocalUpstash> {
  const redis = over === "redis" ? await startRedisServer() : null;
  const runner = redis === null ? createMemoryRunner() : await createRedisRunner(redis.url);
  const bridge = await startUpstashBridge({ runner });
  return {
    ...bridge,
    runner,
    redis,
    async close() {
      await bridge.close();
      // Before its Redis: a client that is left looks for it for ever, and keeps the process from ending.
      await runner.close();
      await redis?.stop();
    },
  };
}
