import { type RedisReply } from "../command-runner.ts";
import { parseInteger } from "../parse-integer.ts";
import { RedisError } from "../redis-error.ts";
import { type MemoryCall, type MemoryCommand } from "./memory-command.ts";
import { stringCommands } from "./strings.ts";

type ScriptCall = { call: (command: string, words: string[]) => RedisReply; keys: string[]; args: string[] };

/** The scripts that the product's cache sends (packages/cache/src/upstash-scripts.ts), known by their text. There is no Lua here. */
const SCRIPTS: Record<string, (script: ScriptCall) => RedisReply> = {
  "return redis.call('MGET', unpack(KEYS))": ({ call, keys }) => call("MGET", keys),

  [`for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'NX', 'PX', ARGV[1]) end
return redis.call('MGET', unpack(KEYS))`]: ({ call, keys, args: [ttl = "", ...values] }) => {
    for (const [i, key] of keys.entries()) call("SET", [key, valueOf(values, i), "NX", "PX", ttl]);
    return call("MGET", keys);
  },

  [`local before = redis.call('MGET', unpack(KEYS))
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'PX', ARGV[1]) end
return {before, redis.call('MGET', unpack(KEYS))}`]: ({ call, keys, args: [ttl = "", ...values] }) => {
    const before = call("MGET", keys);
    for (const [i, key] of keys.entries()) call("SET", [key, valueOf(values, i), "PX", ttl]);
    return [before, call("MGET", keys)];
  },
};

export const KNOWN_SCRIPTS: readonly string[] = Object.keys(SCRIPTS);

export const scriptCommands: Record<string, MemoryCommand> = {
  EVAL: { least: 2, most: Infinity, run: evaluate },
};

function evaluate({ keys: space, args: [text = "", count = "", ...words] }: MemoryCall): RedisReply {
  const script = Object.hasOwn(SCRIPTS, text) ? SCRIPTS[text] : undefined;
  if (script === undefined) {
    throw new RedisError(
      "ERR this script is refused: the in-process store knows a few by their text, a real Redis runs any",
    );
  }
  const keyCount = parseInteger(count);
  if (keyCount > words.length)
    throw new RedisError("ERR Number of keys can't be greater than number of args");
  if (keyCount < 0) throw new RedisError("ERR Number of keys can't be negative");
  if (keyCount === 0) throw new RedisError("ERR Wrong number of args calling Redis command from script");
  return script({
    keys: words.slice(0, keyCount),
    args: words.slice(keyCount),
    call: (name, args) => stringCommands[name]!.run({ keys: space, args, name: name.toLowerCase() }),
  });
}

function valueOf(values: string[], i: number): string {
  const value = values[i];
  if (value === undefined)
    throw new RedisError("ERR Lua redis lib command arguments must be strings or integers");
  return value;
}
