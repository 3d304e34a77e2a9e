/**
 * What the cache has its Redis do. Each is one EVAL: a script may write, so that only the primary runs it, whereas MGET, and a
 * script that is announced as read-only, may be answered by a replica that lags behind. The local stand-in for Upstash knows them
 * word by word (tooling/dev-services/src/upstash/known-scripts.ts).
 * https://upstash.com/docs/redis/features/consistency
 */

/** The values of the keys. */
export const READ = "return redis.call('MGET', unpack(KEYS))";

/** Sets each key that is absent to the value that follows the milliseconds it lives for; the values that all have then. */
export const ENSURE = `for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'NX', 'PX', ARGV[1]) end
return redis.call('MGET', unpack(KEYS))`;

/** Sets each key, whatever was there; the values from before and from then on. */
export const REPLACE = `local before = redis.call('MGET', unpack(KEYS))
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1]) end
return {before, redis.call('MGET', unpack(KEYS))}`;
