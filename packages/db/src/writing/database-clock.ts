import sql from "sql-template-tag";
import { type SqlSession } from "../connection/session.ts";

/** Tells what the database's clock will say at a moment, in milliseconds of `performance.now()`; a little less rather than more. */
export type DatabaseClock = {
  at(session: SqlSession, moment: number): Promise<Date>;
  /** Asks again: one of the two clocks was set, or stood still. */
  forget(): void;
};

const GOOD_FOR_MS = 60_000;

export function createDatabaseClock(): DatabaseClock {
  let known: { offsetMs: number; until: number } | null = null;

  async function ask(session: SqlSession): Promise<{ offsetMs: number; until: number }> {
    const [row] = await session.execute<{ ms: string }>(
      sql`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`,
    );
    const answered = performance.now();
    return { offsetMs: Number(row!.ms) - answered, until: answered + GOOD_FOR_MS };
  }

  return {
    async at(session, moment) {
      if (known === null || performance.now() > known.until) known = await ask(session);
      return new Date(known.offsetMs + moment);
    },
    forget: () => (known = null),
  };
}
