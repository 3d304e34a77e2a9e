export { findRedisServer } from "./find-redis-server.ts";
export { type RedisServer, RedisStartError, startRedisServer } from "./start-redis-server.ts";
