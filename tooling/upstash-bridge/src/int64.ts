import { RedisError } from "./redis-error.ts";

const MIN = -(2n ** 63n);

export const INT64_MAX = 2n ** 63n - 1n;

/**
 * Reads an integer as Redis does: no blanks, no plus, no leading zeros.
 * @throws RedisError otherwise, or when it does not fit 64 bits.
 */
export function parseInt64(text: string): bigint {
  const value = /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : null;
  if (value === null || !fitsInt64(value)) {
    throw new RedisError("ERR value is not an integer or out of range");
  }
  return value;
}

export function fitsInt64(value: bigint): boolean {
  return value >= MIN && value <= INT64_MAX;
}
