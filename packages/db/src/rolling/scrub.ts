import sql from "sql-template-tag";
import { sessionOf, type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { QUARTERS_A_DAY, QUARTERS_A_WEEK } from "../layout/time-types.ts";
import { callRepair } from "./call-check.ts";
import { checkRollups, repairRollups } from "./repair-rollups.ts";
import { type CheckRow, differencesOf, type RollupDifference } from "./rollup-difference.ts";

/** Where scrubbing goes on: a week, by its first quarter, and which of its steps. `null` is the beginning. */
export type ScrubPosition = { week: number; step: number } | null;

/** Where the next step goes on, `null` after the last week; and what differed and was repaired, or logged, by this one. */
export type Scrubbed = { position: ScrubPosition; differences: RollupDifference[] };

/** The rows of the week first, then the calls of each of its days. */
const STEPS = 1 + 7;

/**
 * Scrubs a small part of the rollups: the rows of one week, which are compared with its fine rows and repaired where they differ, or the
 * fine rows of one day, which are compared with their calls and logged for recomputation where they differ. Nothing is locked but what
 * is repaired; while a roller is at work that is left for the next time around.
 */
export async function scrubNext(orm: Database, position: ScrubPosition): Promise<Scrubbed> {
  const session = sessionOf(orm.em.fork());
  const { week, step } = position ?? { week: await firstWeekFrom(session, FIRST), step: 0 };
  if (week === null) return { position: null, differences: [] };
  const differences = await (step === 0
    ? scrubWeek(orm, session, week)
    : scrubDay(session, week + (step - 1) * QUARTERS_A_DAY));
  if (step + 1 < STEPS) return { position: { week, step: step + 1 }, differences };
  const next = await firstWeekFrom(session, week + QUARTERS_A_WEEK);
  return { position: next === null ? null : { week: next, step: 0 }, differences };
}

/** The step after one that failed, whatever is there. */
export function skipStep({ week, step }: { week: number; step: number }): ScrubPosition {
  return step + 1 < STEPS ? { week, step: step + 1 } : { week: week + QUARTERS_A_WEEK, step: 0 };
}

async function scrubWeek(orm: Database, session: SqlSession, from: number): Promise<RollupDifference[]> {
  const weeks = { from, to: from + QUARTERS_A_WEEK };
  const differences = await checkRollups(session, { weeks });
  return differences.length === 0 ? [] : repairRollups(orm, { weeks }, false);
}

async function scrubDay(session: SqlSession, from: number): Promise<RollupDifference[]> {
  return differencesOf(await session.execute<CheckRow>(callRepair({ from, to: from + QUARTERS_A_DAY })));
}

// Before every int4.
const FIRST = -(2 ** 31);

/** The first week with rows from a quarter on; `null` where there is none. */
async function firstWeekFrom(session: SqlSession, quarter: number): Promise<number | null> {
  const [row] = await session.execute<{ week: number | null }>(sql`
    select week_start(min(first.timestamp)) as week
      from unnest('{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}'::int[]) as types(type)
     cross join lateral (
       select timestamp from model_call_stats where time_type::int = types.type and timestamp >= ${quarter}::int order by timestamp limit 1) as first`);
  return row!.week;
}
