import { RedisError } from "./redis-error.ts";

/**
 * Reads an integer as Redis does: no blanks, no plus, no leading zeros. What JavaScript does not count exactly (2^53 and
 * more) is out of range here.
 * @throws RedisError otherwise.
 */
export function parseInteger(text: string): number {
  const value = /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw new RedisError("ERR value is not an integer or out of range");
  return value;
}
