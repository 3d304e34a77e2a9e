import { anyInstant } from "../expiry-options.ts";
import { RedisError } from "../redis-error.ts";
import { type MemoryCall, type MemoryCommand } from "./memory-command.ts";

export const expiryCommands: Record<string, MemoryCommand> = {
  EXPIRE: { least: 2, most: Infinity, run: (call) => expire(call, "EX") },
  PEXPIRE: { least: 2, most: Infinity, run: (call) => expire(call, "PX") },
  PERSIST: { least: 1, run: persist },
  TTL: { least: 1, run: (call) => remaining(call, (ms) => Math.floor((ms + 500) / 1000)) },
  PTTL: { least: 1, run: (call) => remaining(call, Math.floor) },
};

function expire({ keys, args: [key = "", amount = "", ...words] }: MemoryCall, unit: "EX" | "PX") {
  const conditions = readConditions(words);
  const now = keys.now();
  const expiresAt = anyInstant({ unit, amount, now });
  const entry = keys.get(key);
  if (!entry || !allows(conditions, entry.expiresAt, expiresAt)) return 0;
  if (expiresAt <= now) keys.delete(key);
  else entry.expiresAt = expiresAt;
  return 1;
}

function readConditions(words: string[]): Set<string> {
  const conditions = new Set<string>();
  for (const word of words) {
    const condition = word.toUpperCase();
    if (!["NX", "XX", "GT", "LT"].includes(condition)) throw new RedisError(`ERR Unsupported option ${word}`);
    conditions.add(condition);
  }
  if (conditions.has("NX") && conditions.size > 1) {
    throw new RedisError("ERR NX and XX, GT or LT options at the same time are not compatible");
  }
  if (conditions.has("GT") && conditions.has("LT")) {
    throw new RedisError("ERR GT and LT options at the same time are not compatible");
  }
  return conditions;
}

/** A key that lives for ever counts as one that expires after all others. */
function allows(conditions: Set<string>, current: number | null, next: number): boolean {
  if (conditions.has("NX") && current !== null) return false;
  if (conditions.has("XX") && current === null) return false;
  if (conditions.has("GT") && next <= (current ?? Infinity)) return false;
  return !(conditions.has("LT") && next >= (current ?? Infinity));
}

function persist({ keys, args: [key = ""] }: MemoryCall) {
  const entry = keys.get(key);
  if (!entry || entry.expiresAt === null) return 0;
  entry.expiresAt = null;
  return 1;
}

function remaining({ keys, args: [key = ""] }: MemoryCall, toUnit: (ms: number) => number) {
  const entry = keys.get(key);
  if (!entry) return -2;
  return entry.expiresAt === null ? -1 : toUnit(entry.expiresAt - keys.now());
}
