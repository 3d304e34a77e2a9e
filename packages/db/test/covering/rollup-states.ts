import { type ModelCall } from "@usage-stats/core";
import { expect } from "vitest";
import { countChanges, rollUp } from "../../src/index.ts";
import { type History } from "./history.ts";

/** How far calls are rolled up, and what became of them since; `late` are calls that come after that. */
type Prepare = (history: History, more: { late: ModelCall[]; middle: Date }) => Promise<void>;

/** The states that rollups may be in, by what they are called. Each proves that it is. */
export const STATES: Record<string, Prepare> = {
  async "nothing rolled up"(history) {
    expect(await rowsOf(history)).toBe(0);
  },
  async "everything rolled up"(history) {
    await rollUp(history.database.orm);
    expect(await countChanges(history.database.orm)).toBe(0);
  },
  async "half rolled up"(history) {
    const { orm } = history.database;
    const once = new AbortController();
    const batchSize = Math.ceil((await countChanges(orm)) / 2);
    await rollUp(orm, { batchSize, signal: once.signal, onProgress: () => once.abort() });
    expect(await rowsOf(history)).toBeGreaterThan(0);
    expect(await countChanges(orm)).toBeGreaterThan(0);
  },
  async "rolled up, then changed"(history, { late }) {
    await rollUp(history.database.orm);
    await history.record(late);
    expect(await countChanges(history.database.orm)).toBeGreaterThan(0);
  },
  async "rolled up, then a month dropped"(history, { middle }) {
    await rollUp(history.database.orm);
    const before = history.calls().length;
    await history.dropMonth(middle);
    expect(history.calls().some(({ userDid, callTime }) => history.isFrozen(userDid, callTime))).toBe(true);
    expect(history.calls().length).toBeLessThanOrEqual(before);
  },
};

async function rowsOf({ database }: History): Promise<number> {
  const sql = "select count(*) from model_call_stats";
  const [row] = await database.orm.em.fork().execute<{ count: string }[]>(sql);
  return Number(row!.count);
}
