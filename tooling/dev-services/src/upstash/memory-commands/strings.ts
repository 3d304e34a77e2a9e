import { futureInstant, parseExpiryOptions } from "../expiry-options.ts";
import { RedisError } from "../redis-error.ts";
import { bulk, type MemoryCall, type MemoryCommand } from "./memory-command.ts";

export const stringCommands: Record<string, MemoryCommand> = {
  GET: { least: 1, run: ({ keys, args: [key = ""] }) => bulk(keys.get(key)?.value) },
  SET: { least: 2, most: Infinity, run: set },
  SETEX: { least: 3, run: (call) => setFor(call, "EX") },
  PSETEX: { least: 3, run: (call) => setFor(call, "PX") },
  SETNX: { least: 2, run: setIfAbsent },
  GETDEL: { least: 1, run: getAndDelete },
  GETEX: { least: 1, most: Infinity, run: getAndExpire },
  MGET: { least: 1, most: Infinity, run: ({ keys, args }) => args.map((key) => bulk(keys.get(key)?.value)) },
  MSET: { least: 2, most: Infinity, run: setMany },
  STRLEN: {
    least: 1,
    run: ({ keys, args: [key = ""] }) => Buffer.byteLength(keys.get(key)?.value ?? ""),
  },
};

const SET_OPTIONS = ["NX", "XX", "GET", "KEEPTTL", "EX", "PX", "EXAT", "PXAT"];
const GETEX_OPTIONS = ["PERSIST", "EX", "PX", "EXAT", "PXAT"];

function set({ keys, args: [key = "", value = "", ...words], name }: MemoryCall) {
  const { flags, expiry } = parseExpiryOptions(words, SET_OPTIONS);
  const expiresAt = expiry && futureInstant({ ...expiry, now: keys.now(), command: name });
  const old = keys.get(key);
  const oldValue = bulk(old?.value);
  if (old ? flags.has("NX") : flags.has("XX")) return flags.has("GET") ? oldValue : null;
  keys.set(key, value, flags.has("KEEPTTL") ? (old?.expiresAt ?? null) : expiresAt);
  return flags.has("GET") ? oldValue : "OK";
}

function setFor({ keys, args: [key = "", amount = "", value = ""], name }: MemoryCall, unit: "EX" | "PX") {
  keys.set(key, value, futureInstant({ unit, amount, now: keys.now(), command: name }));
  return "OK";
}

function setIfAbsent({ keys, args: [key = "", value = ""] }: MemoryCall) {
  if (keys.get(key)) return 0;
  keys.set(key, value, null);
  return 1;
}

function setMany({ keys, args, name }: MemoryCall) {
  if (args.length % 2 !== 0) throw new RedisError(`ERR wrong number of arguments for '${name}' command`);
  for (let i = 0; i < args.length; i += 2) keys.set(args[i]!, args[i + 1]!, null);
  return "OK";
}

function getAndDelete({ keys, args: [key = ""] }: MemoryCall) {
  const entry = keys.get(key);
  keys.delete(key);
  return bulk(entry?.value);
}

function getAndExpire({ keys, args: [key = "", ...words], name }: MemoryCall) {
  const { flags, expiry } = parseExpiryOptions(words, GETEX_OPTIONS);
  const entry = keys.get(key);
  if (!entry) return null;
  if (expiry) entry.expiresAt = futureInstant({ ...expiry, now: keys.now(), command: name });
  if (flags.has("PERSIST")) entry.expiresAt = null;
  return bulk(entry.value);
}
