import { INT64_MAX, parseInt64 } from "./int64.ts";
import { RedisError } from "./redis-error.ts";

const EXPIRY_UNITS = {
  EX: { ms: 1000n, relative: true },
  PX: { ms: 1n, relative: true },
  EXAT: { ms: 1000n, relative: false },
  PXAT: { ms: 1n, relative: false },
} as const;

export type ExpiryUnit = keyof typeof EXPIRY_UNITS;

/** The options of SET and GETEX; each command refuses those that are not its own. */
export interface ExpiryOptions {
  flags: Set<string>;
  expiry: { unit: ExpiryUnit; amount: string } | null;
}

// What cannot stand together with what.
const EXCLUDES: Record<string, string[]> = {
  NX: ["XX"],
  XX: ["NX"],
  GET: [],
  KEEPTTL: ["PERSIST", "EX", "PX", "EXAT", "PXAT"],
  PERSIST: ["KEEPTTL", "EX", "PX", "EXAT", "PXAT"],
  EX: ["KEEPTTL", "PERSIST", "PX", "EXAT", "PXAT"],
  PX: ["KEEPTTL", "PERSIST", "EX", "EXAT", "PXAT"],
  EXAT: ["KEEPTTL", "PERSIST", "EX", "PX", "PXAT"],
  PXAT: ["KEEPTTL", "PERSIST", "EX", "PX", "EXAT"],
};

/** @throws RedisError "ERR syntax error" for words not in `allowed`, contradictions, or an expiry without its time. */
export function parseExpiryOptions(words: string[], allowed: readonly string[]): ExpiryOptions {
  const options: ExpiryOptions = { flags: new Set(), expiry: null };
  for (let i = 0; i < words.length; i++) {
    const option = words[i]!.toUpperCase();
    const excluded = allowed.includes(option) ? EXCLUDES[option] : undefined;
    if (!excluded || excluded.some((other) => options.flags.has(other))) throw syntaxError();
    options.flags.add(option);
    if (!(option in EXPIRY_UNITS)) continue;
    const amount = words[++i];
    if (amount === undefined) throw syntaxError();
    options.expiry = { unit: option as ExpiryUnit, amount };
  }
  return options;
}

interface Expiry {
  unit: ExpiryUnit;
  amount: string;
  now: number;
  /** Lower case, for the error's text. */
  command: string;
}

/** The instant, in milliseconds, an expiry that must lie ahead means. */
export function futureInstant(expiry: Expiry): number {
  if (parseInt64(expiry.amount) <= 0n) throw invalidExpiry(expiry.command);
  return anyInstant(expiry);
}

/** The instant, in milliseconds, an expiry means, past ones included. */
export function anyInstant({ unit, amount, now, command }: Expiry): number {
  const { ms, relative } = EXPIRY_UNITS[unit];
  const duration = parseInt64(amount) * ms;
  const instant = duration + (relative ? BigInt(Math.trunc(now)) : 0n);
  if (duration < -INT64_MAX || instant > INT64_MAX) throw invalidExpiry(command);
  return Number(instant);
}

export function syntaxError(): RedisError {
  return new RedisError("ERR syntax error");
}

function invalidExpiry(command: string): RedisError {
  return new RedisError(`ERR invalid expire time in '${command}' command`);
}
