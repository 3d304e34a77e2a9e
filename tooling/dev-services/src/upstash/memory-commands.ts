import { type RedisReply } from "./command-runner.ts";
import { type Keyspace } from "./keyspace.ts";
import { KNOWN_SCRIPTS } from "./known-scripts.ts";
import { parseInteger } from "./parse-integer.ts";
import { RedisError } from "./redis-error.ts";

/** One command of the in-process store. */
export interface MemoryCommand {
  /** How many words must follow its name. */
  least: number;
  /** How many may; `least` when left out. */
  most?: number;
  run(keys: Keyspace, words: string[]): RedisReply;
}

/** What the in-process store can do, by the command's name in upper case: what the product's cache sends, and what its tests need. */
export const MEMORY_COMMANDS: ReadonlyMap<string, MemoryCommand> = new Map(
  Object.entries({
    GET: { least: 1, run: (keys, [key = ""]) => stored(keys, key) },
    SET: { least: 2, most: Infinity, run: set },
    EVAL: { least: 2, most: Infinity, run: evaluate },
    FLUSHALL: { least: 0, run: flushAll },
  } satisfies Record<string, MemoryCommand>),
);

/** `SET key value [NX] [PX milliseconds]`. */
function set(keys: Keyspace, [key = "", value = "", ...options]: string[]): RedisReply {
  let onlyIfAbsent = false;
  let ttlMs: number | null = null;
  for (let i = 0; i < options.length; i++) {
    const option = options[i]!.toUpperCase();
    if (option === "NX") onlyIfAbsent = true;
    else if (option === "PX" && i + 1 < options.length) ttlMs = parseInteger(options[++i]!);
    else throw new RedisError("ERR syntax error");
  }
  if (ttlMs !== null && ttlMs <= 0) throw new RedisError("ERR invalid expire time in 'set' command");
  if (onlyIfAbsent && keys.get(key) !== null) return null;
  keys.set(key, value, ttlMs);
  return "OK";
}

function evaluate(keys: Keyspace, [text = "", count = "", ...words]: string[]): RedisReply {
  const script = KNOWN_SCRIPTS.get(text);
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
    get: (key) => stored(keys, key),
    set: (...command) => void set(keys, command),
  });
}

function flushAll(keys: Keyspace): RedisReply {
  keys.clear();
  return "OK";
}

/** A stored value as Redis answers it, or null. */
function stored(keys: Keyspace, key: string): Buffer | null {
  const value = keys.get(key);
  return value === null ? null : Buffer.from(value);
}
