import { fitsInt64, parseInt64 } from "../int64.ts";
import { RedisError } from "../redis-error.ts";
import { type MemoryCall, type MemoryCommand } from "./memory-command.ts";

export const counterCommands: Record<string, MemoryCommand> = {
  INCR: { least: 1, run: (call) => add(call, 1n) },
  DECR: { least: 1, run: (call) => add(call, -1n) },
  INCRBY: { least: 2, run: (call) => add(call, parseInt64(call.args[1]!)) },
  DECRBY: { least: 2, run: (call) => add(call, negate(parseInt64(call.args[1]!))) },
};

function add({ keys, args: [key = ""] }: MemoryCall, amount: bigint): number {
  const entry = keys.get(key);
  const sum = parseInt64(entry?.value ?? "0") + amount;
  if (!fitsInt64(sum)) throw new RedisError("ERR increment or decrement would overflow");
  keys.set(key, String(sum), entry?.expiresAt ?? null);
  return Number(sum);
}

function negate(amount: bigint): bigint {
  if (!fitsInt64(-amount)) throw new RedisError("ERR decrement would overflow");
  return -amount;
}
