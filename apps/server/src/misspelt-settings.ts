/** A variable that is no setting, and the setting that it was probably meant to be. */
export type MisspeltSetting = { given: string; meant: string };

const SHORTEST = 8;

/**
 * Variables that look like settings misspelt: a letter or two off (`DATABASE_URI`), or without a word (`UPSTASH_REDIS_URL`). Only
 * names of two words and more: short ones are too often somebody else's.
 */
export function misspeltSettings(given: readonly string[], settings: readonly string[]): MisspeltSetting[] {
  return given
    .filter((name) => name.length >= SHORTEST && name.includes("_") && !settings.includes(name))
    .flatMap((name) => {
      // Of several the one that is set anyway was not what was meant.
      const [meant] = settings.filter((setting) => isNear(name, setting) && !given.includes(setting));
      return meant === undefined ? [] : [{ given: name, meant }];
    });
}

function isNear(name: string, setting: string): boolean {
  const lettersOff = setting.length < 12 ? 1 : 2;
  return lacksWord(name, setting) || distance(name.toUpperCase(), setting, lettersOff) <= lettersOff;
}

/** Without its last words, or without one in between where three are left: `AUTH_URL` is others' own. */
function lacksWord(name: string, setting: string): boolean {
  if (setting.startsWith(`${name}_`)) return true;
  const words = setting.split("_");
  return words.length > 3 && words.some((_, index) => words.toSpliced(index, 1).join("_") === name);
}

/** Letters to be changed, added, left out, or swapped with the next (optimal string alignment); anything above `most` for more than that. */
function distance(one: string, other: string, most: number): number {
  if (Math.abs(one.length - other.length) > most) return most + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      current[column] = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (isSame ? 0 : 1),
        isSwapped ? beforeLast[column - 2]! + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length]!;
}
