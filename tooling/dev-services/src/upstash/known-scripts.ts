import { type RedisReply } from "./command-runner.ts";
import { RedisError } from "./redis-error.ts";

/** A script at work: the words after its text, and the commands that it may call. */
interface ScriptCall {
  keys: string[];
  args: string[];
  get(key: string): RedisReply;
  set(key: string, value: string, ...options: string[]): void;
}

/** The scripts that the product's cache sends (packages/cache/src/upstash-scripts.ts), by their text. There is no Lua here. */
export const KNOWN_SCRIPTS: ReadonlyMap<string, (call: ScriptCall) => RedisReply> = new Map([
  ["return redis.call('MGET', unpack(KEYS))", read],
  [
    `for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'NX', 'PX', ARGV[1]) end
return redis.call('MGET', unpack(KEYS))`,
    ensure,
  ],
  [
    `local before = redis.call('MGET', unpack(KEYS))
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1]) end
return {before, redis.call('MGET', unpack(KEYS))}`,
    replace,
  ],
]);

function read({ keys, get }: ScriptCall): RedisReply[] {
  return keys.map(get);
}

function ensure(call: ScriptCall): RedisReply[] {
  setAll(call, "NX");
  return read(call);
}

function replace(call: ScriptCall): RedisReply[] {
  const before = read(call);
  setAll(call);
  return [before, read(call)];
}

function setAll({ keys, args: [ttlMs = "", ...values], set }: ScriptCall, ...options: string[]): void {
  for (const [i, key] of keys.entries()) {
    const value = values[i];
    if (value === undefined)
      throw new RedisError("ERR Lua redis lib command arguments must be strings or integers");
    set(key, value, ...options, "PX", ttlMs);
  }
}
