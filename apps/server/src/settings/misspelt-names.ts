export type Misspelt = { given: string; meant: string };

// What others call the same.
const OTHER_NAMES: Record<string, string> = {
  DB_URL: "DATABASE_URL",
  DB_URI: "DATABASE_URL",
  POSTGRES_URL: "DATABASE_URL",
  POSTGRES_URI: "DATABASE_URL",
  POSTGRESQL_URL: "DATABASE_URL",
  JWKS_URL: "AUTH_JWKS_URL",
  JWKS_URI: "AUTH_JWKS_URL",
  JWT_SECRET: "AUTH_SECRET",
};

/** Which of the names that are given are probably meant to be one of ours that is not: by letters, by words left out, or by custom. */
export function findMisspeltNames(given: readonly string[], ours: readonly string[]): Misspelt[] {
  const missing = ours.filter((name) => !given.includes(name));
  return given.flatMap((name) => {
    if (ours.includes(name)) return [];
    const upper = name.toUpperCase();
    const meant = missing.find((our) => isClose(upper, our)) ?? OTHER_NAMES[upper];
    return meant !== undefined && missing.includes(meant) ? [{ given: name, meant }] : [];
  });
}

function isClose(name: string, our: string): boolean {
  return name === our || distance(name, our) <= tolerance(our) || leavesOneWordOut(name, our);
}

/** Short names are like too many others, HOST like HOME. */
function tolerance({ length }: string): number {
  if (length < 6) return 0;
  if (length < 9) return 1;
  return length < 14 ? 2 : 3;
}

function leavesOneWordOut(name: string, our: string): boolean {
  const [words, ourWords] = [name.split("_"), our.split("_")];
  if (words.length < 2 || words.length !== ourWords.length - 1) return false;
  return ourWords.some((_, i) => ourWords.toSpliced(i, 1).join("_") === name) && words[0] === ourWords[0];
}

/** Letters to add, take away or change (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(one).entries()) {
    const next = [i + 1];
    for (let j = 0; j < other.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (letter === other[j] ? 0 : 1)));
    row = next;
  }
  return row[other.length]!;
}
