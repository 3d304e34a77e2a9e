export { type CommandRunner, type RedisReply, type RunCommand } from "./command-runner.ts";
export { RedisError, RedisUnavailableError } from "./redis-error.ts";
export { createMemoryRunner, type MemoryRunnerOptions } from "./create-memory-runner.ts";
export { createRedisRunner } from "./create-redis-runner.ts";
export { createUpstashBridge, type UpstashBridgeOptions } from "./create-upstash-bridge.ts";
export {
  startUpstashBridge,
  type StartUpstashBridgeOptions,
  type UpstashBridge,
} from "./start-upstash-bridge.ts";
export { type LocalUpstash, startLocalUpstash } from "./start-local-upstash.ts";
