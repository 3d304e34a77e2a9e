import { syntaxError } from "../expiry-options.ts";
import { globMatcher } from "../glob.ts";
import { parseInteger } from "../parse-integer.ts";
import { RedisError } from "../redis-error.ts";
import { type MemoryCall, type MemoryCommand } from "./memory-command.ts";

export const keyspaceCommands: Record<string, MemoryCommand> = {
  DEL: { least: 1, most: Infinity, run: remove },
  UNLINK: { least: 1, most: Infinity, run: remove },
  EXISTS: {
    least: 1,
    most: Infinity,
    run: ({ keys, args }) => args.filter((key) => keys.get(key)).length,
  },
  TYPE: { least: 1, run: ({ keys, args: [key = ""] }) => (keys.get(key) ? "string" : "none") },
  DBSIZE: { least: 0, run: ({ keys }) => keys.keys().length },
  KEYS: { least: 1, run: ({ keys, args: [pattern = ""] }) => matching(keys.keys(), pattern) },
  SCAN: { least: 1, most: Infinity, run: scan },
  FLUSHALL: { least: 0, most: Infinity, run: flush },
  FLUSHDB: { least: 0, most: Infinity, run: flush },
};

function remove({ keys, args }: MemoryCall) {
  return args.filter((key) => keys.delete(key)).length;
}

function matching(keys: string[], pattern: string): Buffer[] {
  return keys.filter(globMatcher(pattern)).map((key) => Buffer.from(key));
}

/** All at once, whatever COUNT says: Redis may too. */
function scan({ keys, args: [cursor = "", ...words] }: MemoryCall) {
  if (!/^\d+$/.test(cursor)) throw new RedisError("ERR invalid cursor");
  let pattern = "*";
  let type = "string";
  for (let i = 0; i < words.length; i += 2) {
    const [option = "", value] = [words[i]?.toUpperCase(), words[i + 1]];
    if (value === undefined) throw syntaxError();
    if (option === "MATCH") pattern = value;
    else if (option === "TYPE") type = value.toLowerCase();
    else if (option !== "COUNT" || parseInteger(value) < 1) throw syntaxError();
  }
  return [Buffer.from("0"), type === "string" ? matching(keys.keys(), pattern) : []];
}

function flush({ keys, args }: MemoryCall) {
  const [mode = "SYNC", ...more] = args;
  if (more.length > 0 || !["SYNC", "ASYNC"].includes(mode.toUpperCase())) throw syntaxError();
  keys.clear();
  return "OK";
}
