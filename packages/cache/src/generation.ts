import { type CacheKeys } from "./cache-keys.ts";

/** How long a generation lives: much longer than any text. */
export const GENERATION_MS = 86_400_000;

/** A new value for the generation at a key. It names its key, as everything kept does. */
export function newGeneration(key: string): readonly [string, string] {
  return [key, `${key} ${crypto.randomUUID()}`];
}

export function isGeneration(key: string, value: unknown): value is string {
  return typeof value === "string" && value[key.length] === " " && value.startsWith(key);
}

/** Both generations as one, if they are what was written under their keys. */
export function generationOf(
  { generations: keys }: CacheKeys,
  own: unknown,
  everything: unknown,
): string | null {
  if (!isGeneration(keys[0], own) || !isGeneration(keys[1], everything)) return null;
  return `${own.slice(keys[0].length + 1)}.${everything.slice(keys[1].length + 1)}`;
}
