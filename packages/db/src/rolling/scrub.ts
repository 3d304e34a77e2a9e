import sql from "sql-template-tag";
import { sessionOf, type SqlSession } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { QUARTERS_A_DAY, QUARTERS_A_WEEK, SLICES } from "../layout/time-types.ts";
import { callRepair } from "./call-check.ts";
import { type Weeks } from "./derive-rollups.ts";
import { checkRollups, repairRollups } from "./repair-rollups.ts";
import { type CheckRow, differencesOf, type RollupDifference } from "./rollup-difference.ts";

/** Where scrubbing goes on: a week, by its first quarter, and which of its steps. `null` is the beginning. */
export type ScrubPosition = { week: number; step: number } | null;

/** Where the next step goes on, `null` after the last week; and what differed and was repaired or logged by this one. */
export type Scrubbed = { position: ScrubPosition; differences: RollupDifference[] };

const DAYS = 7;
const STEPS = SLICES.length * (1 + DAYS);

/**
 * Scrubs a small part of the rollups: the rows of one slice and week, which are compared with its fine rows and repaired where they
 * differ, or the fine rows of one slice and day, which are compared with their calls and logged for recomputation where they differ.
 * Nothing is locked but what is repaired; what somebody else has locked is left for the next time around.
 */
export async function scrubNext(orm: Database, position: ScrubPosition): Promise<Scrubbed> {
  const session = sessionOf(orm.em.fork());
  const { week, step } = position ?? { week: await weekFrom(session, FIRST), step: 0 };
  if (week === null) return { position: null, differences: [] };
  const differences = await scrubStep(orm, session, week, step);
  if (step + 1 < STEPS) return { position: { week, step: step + 1 }, differences };
  const next = await weekFrom(session, week + QUARTERS_A_WEEK);
  return { position: next === null ? null : { week: next, step: 0 }, differences };
}

async function scrubStep(
  orm: Database,
  session: SqlSession,
  from: number,
  step: number,
): Promise<RollupDifference[]> {
  const slice = SLICES[step % SLICES.length]!;
  const day = Math.floor(step / SLICES.length) - 1;
  if (day >= 0) {
    const start = from + day * QUARTERS_A_DAY;
    return differencesOf(
      await session.execute<CheckRow>(callRepair(slice, { from: start, to: start + QUARTERS_A_DAY })),
    );
  }
  const week: Weeks = { from, to: from + QUARTERS_A_WEEK };
  const differences = await checkRollups(session, { slice, week });
  return differences.length === 0 ? [] : repairRollups(orm, { slice, week }, "skip");
}

// Before every int4.
const FIRST = -(2 ** 31);

/** The first week with rows that does not begin before a quarter; `null` where there is none. */
async function weekFrom(session: SqlSession, quarter: number): Promise<number | null> {
  const [row] = await session.execute<{ week: number | null }>(sql`
    select week_start(min(first.timestamp)) as week
      from unnest('{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}'::int2[]) as types(type)
     cross join lateral (
       select timestamp from model_call_stats where time_type = types.type and timestamp >= ${quarter}::int order by timestamp limit 1) as first`);
  return row!.week;
}
