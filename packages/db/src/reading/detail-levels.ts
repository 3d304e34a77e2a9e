/** How much a rollup tells apart: types; models, each of one type; or combinations of every dimension. */
export type Level = "type" | "model" | "combo";

/** The columns of calls by which is grouped and filtered, and the narrowest level that knows each. */
const KNOWN_BY: Record<string, Level> = {
  type: "type",
  provider_id: "model",
  model: "model",
  app_did: "combo",
  status: "combo",
  key_id: "combo",
  tags: "combo",
};

/** All columns of calls by which is grouped and filtered. */
export const DIMENSIONS = Object.keys(KNOWN_BY);

// The narrowest, which has the fewest rows, first.
const LEVELS: Level[] = ["type", "model", "combo"];

/** Gives the level that is the narrowest to know a column. */
export function levelOf(column: string): Level {
  const level = KNOWN_BY[column];
  if (level === undefined) throw new Error(`no rollup knows ${column}`);
  return level;
}

/** Gives the narrowest level that knows all of some columns. */
export function levelFor(columns: readonly string[]): Level {
  const widest = Math.max(0, ...columns.map((column) => LEVELS.indexOf(levelOf(column))));
  return LEVELS[widest]!;
}
