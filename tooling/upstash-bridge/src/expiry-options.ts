import { parseInteger } from "./parse-integer.ts";
import { RedisError } from "./redis-error.ts";

const EXPIRY_UNITS = {
  EX: { ms: 1000, relative: true },
  PX: { ms: 1, relative: true },
  EXAT: { ms: 1000, relative: false },
  PXAT: { ms: 1, relative: false },
} as const;

type ExpiryUnit = keyof typeof EXPIRY_UNITS;

/** The options of SET and GETEX; each command refuses those that are not its own. */
export interface ExpiryOptions {
  flags: Set<string>;
  expiry: { unit: ExpiryUnit; amount: string } | null;
}

// Two of a row cannot stand together.
const EITHER_OR = [
  ["NX", "XX"],
  ["KEEPTTL", "PERSIST", "EX", "PX", "EXAT", "PXAT"],
];

/** @throws RedisError "ERR syntax error" for words not in `allowed`, contradictions, or an expiry without its time. */
export function parseExpiryOptions(words: string[], allowed: readonly string[]): ExpiryOptions {
  const options: ExpiryOptions = { flags: new Set(), expiry: null };
  for (let i = 0; i < words.length; i++) {
    const option = words[i]!.toUpperCase();
    if (!allowed.includes(option) || contradicts(option, options.flags)) throw syntaxError();
    options.flags.add(option);
    if (!(option in EXPIRY_UNITS)) continue;
    const amount = words[++i];
    if (amount === undefined) throw syntaxError();
    options.expiry = { unit: option as ExpiryUnit, amount };
  }
  return options;
}

function contradicts(option: string, flags: Set<string>): boolean {
  const row = EITHER_OR.find((one) => one.includes(option)) ?? [];
  return row.some((other) => other !== option && flags.has(other));
}

interface Expiry {
  unit: ExpiryUnit;
  amount: string;
  now: number;
}

/** The instant, in milliseconds, an expiry that must lie ahead means; `command`, in lower case, is for the error's text. */
export function futureInstant({ command, ...expiry }: Expiry & { command: string }): number {
  if (parseInteger(expiry.amount) <= 0) {
    throw new RedisError(`ERR invalid expire time in '${command}' command`);
  }
  return anyInstant(expiry);
}

/** The instant, in milliseconds, an expiry means, past ones included. */
export function anyInstant({ unit, amount, now }: Expiry): number {
  const { ms, relative } = EXPIRY_UNITS[unit];
  return parseInteger(amount) * ms + (relative ? now : 0);
}

export function syntaxError(): RedisError {
  return new RedisError("ERR syntax error");
}
