import { type Grain } from "@usage-stats/core";
import { type SqlSession } from "../connection/session.ts";
import { CALL_MEASURES, MEASURES, SUMMED_MEASURES } from "../reading/measures-sql.ts";
import { ALL_USERS, type Level, LEVELS } from "../reading/rollup-levels.ts";
import sql, { raw, type Sql } from "sql-template-tag";
import { type Buckets, type RollupsOf } from "./rollup-buckets.ts";

/**
 * Recomputes and replaces the rollups of some quarters, and of the hours and days that hold them, at every level of
 * detail. A bucket whose calls are gone goes too. Set-based: the number of statements is the same for any number of buckets.
 */
export async function recomputeRollups(
  session: SqlSession,
  whose: RollupsOf,
  buckets: Buckets,
): Promise<void> {
  const touched = (grain: Grain) => touchedBuckets(buckets, grain);
  const [detail, ...narrower] = LEVELS.toReversed() as [Level, ...Level[]];
  const statements = [
    ...LEVELS.flatMap(({ table }) =>
      (["quarter", "hour", "day"] as const).map((grain) => remove(table, grain, touched(grain))),
    ),
    insert(
      detail,
      "quarter",
      whose === "users"
        ? sumOfCalls(detail, buckets, touched("quarter"))
        : sumOfUsers(detail, touched("quarter")),
    ),
    ...narrower.map((level, i) =>
      insert(level, "quarter", sumOfWiderLevel(level, [detail, ...narrower][i]!, touched("quarter"))),
    ),
    ...LEVELS.map((level) =>
      insert(level, "hour", sumOfFinerGrain(level, "quarter", "1 hour", touched("hour"))),
    ),
    ...LEVELS.map((level) => insert(level, "day", sumOfFinerGrain(level, "hour", "1 day", touched("day")))),
  ];
  for (const statement of statements) await session.execute(statement);
}

const sums = raw(SUMMED_MEASURES);
const list = (names: string[]) => raw(names.join(", "));

/** The buckets of one grain that hold the changed quarters, as a subquery of `user_did` and `start`. */
function touchedBuckets({ users, quarters }: Buckets, grain: Grain): Sql {
  const start = grain === "quarter" ? raw("quarter") : sql`date_trunc(${grain}, quarter, 'UTC')`;
  return sql`(select distinct user_did, ${start} as start
                from unnest(${users}::text[], ${quarters}::timestamptz[]) as changed(user_did, quarter)) as touched`;
}

function remove(table: string, grain: Grain, touched: Sql): Sql {
  return sql`delete from ${raw(table)} where ctid = any(array(
              select old.ctid from ${touched} cross join lateral ${lookUp(raw("ctid"), table, grain, sql`user_did = touched.user_did and timestamp = touched.start`)} as old))`;
}

/**
 * The rows of one touched bucket, looked up by the composite index. OFFSET 0 keeps the planner from turning the join
 * around: after an import its statistics still say that the tables are empty, and it would scan them whole for each bucket.
 */
function lookUp(columns: Sql, table: string, grain: Grain, condition: Sql): Sql {
  return sql`(select ${columns} from ${raw(table)} where time_type = ${grain} and ${condition} offset 0)`;
}

function insert({ table, dimensions }: Level, grain: Grain, source: Sql): Sql {
  return sql`insert into ${raw(table)} (user_did, time_type, timestamp, ${list(dimensions)}, ${raw(MEASURES)})
             select user_did, ${grain}, start, ${list(dimensions)}, ${sums} from ${source} as source
              group by user_did, start, ${list(dimensions)}`;
}

function sumOfCalls({ dimensions }: Level, { quarters }: Buckets, touched: Sql): Sql {
  const columns = dimensions.map((name) => (name === "app_did" ? "coalesce(app_did, '') as app_did" : name));
  // The outer bounds tell the planner which partitions to leave out.
  return sql`(select touched.user_did, start, calls.*
                from ${touched} cross join lateral (
                  select ${list(columns)}, ${raw(CALL_MEASURES)} from model_calls
                   where user_did = touched.user_did and call_time >= start and call_time < start + interval '15 minutes' and voided_at is null
                     and call_time >= ${earliest(quarters)}::timestamptz and call_time < ${latest(quarters)}::timestamptz + interval '15 minutes'
                  offset 0) as calls)`;
}

function sumOfUsers({ table, dimensions }: Level, touched: Sql): Sql {
  return sumOf(
    dimensions,
    touched,
    lookUp(COLUMNS, table, "quarter", sql`timestamp = touched.start and user_did <> ${ALL_USERS}`),
  );
}

function sumOfWiderLevel({ dimensions }: Level, wider: Level, touched: Sql): Sql {
  return sumOf(
    dimensions,
    touched,
    lookUp(COLUMNS, wider.table, "quarter", sql`user_did = touched.user_did and timestamp = touched.start`),
  );
}

function sumOfFinerGrain(
  { table, dimensions }: Level,
  finer: Grain,
  width: "1 hour" | "1 day",
  touched: Sql,
): Sql {
  const within = sql`user_did = touched.user_did and timestamp >= touched.start and timestamp < touched.start + ${width}::interval`;
  return sumOf(dimensions, touched, lookUp(COLUMNS, table, finer, within));
}

const COLUMNS = raw("*");

function sumOf(dimensions: string[], touched: Sql, rows: Sql): Sql {
  return sql`(select touched.user_did, touched.start, ${list(dimensions)}, ${raw(MEASURES)}
                from ${touched} cross join lateral ${rows} as rollup)`;
}

// Instants of one form are in the order of their texts.
const earliest = (quarters: string[]) => quarters.reduce((one, other) => (other < one ? other : one));
const latest = (quarters: string[]) => quarters.reduce((one, other) => (other > one ? other : one));
