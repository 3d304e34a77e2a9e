import { parseInteger } from "../parse-integer.ts";
import { RedisError } from "../redis-error.ts";
import { type MemoryCall, type MemoryCommand } from "./memory-command.ts";

export const counterCommands: Record<string, MemoryCommand> = {
  INCR: { least: 1, run: (call) => add(call, 1) },
  DECR: { least: 1, run: (call) => add(call, -1) },
  INCRBY: { least: 2, run: (call) => add(call, parseInteger(call.args[1]!)) },
  DECRBY: { least: 2, run: (call) => add(call, -parseInteger(call.args[1]!)) },
};

function add({ keys, args: [key = ""] }: MemoryCall, amount: number): number {
  const entry = keys.get(key);
  const sum = parseInteger(entry?.value ?? "0") + amount;
  if (!Number.isSafeInteger(sum)) throw new RedisError("ERR increment or decrement would overflow");
  keys.set(key, String(sum), entry?.expiresAt ?? null);
  return sum;
}
