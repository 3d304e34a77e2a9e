import { type RollupScope } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { CALL_MEASURES, MEASURE_COLUMNS, MEASURES, SUMMED_MEASURES } from "../reading/measures-sql.ts";
import { ALL_USERS, type Level, LEVELS } from "../reading/rollup-levels.ts";
import { type Sql, sql, trusted } from "../sql-fragment.ts";
import { inTransaction } from "../transaction.ts";
import { isoText } from "../reading/iso-text.ts";
import { inScope } from "./rollup-scope.ts";

/** A rollup row that is not what it should be; `null` is a row that is not there. */
export type RollupDifference = {
  table: string;
  grain: "quarter" | "hour" | "day";
  /** "" is all users together. */
  userDid: string;
  start: string;
  dimensions: Record<string, string>;
  expected: Record<string, number> | null;
  found: Record<string, number> | null;
};

/**
 * Compares rollups with calls, bucket by bucket, in one snapshot: quarters with their calls, every level with the next
 * wider, hours with their quarters, days with their hours, and all users with the sum of each. Quarters that wait in the
 * change log are not differences: answers read their calls.
 */
export async function verifyRollups(orm: Database, scope: RollupScope = {}): Promise<RollupDifference[]> {
  return inTransaction(orm, { isolationLevel: "repeatable read", readOnly: true }, async (em) => {
    const differences: RollupDifference[] = [];
    for (const check of checks(scope))
      differences.push(...(await em.execute<RollupDifference[]>(check.sql, check.params)));
    return differences;
  });
}

const sums = trusted(SUMMED_MEASURES);
const measures = trusted(MEASURES);
const names = (columns: string[]) => trusted(columns.join(", "));

function checks(scope: RollupScope): Sql[] {
  const everyone = scope.userDid === undefined;
  const [detail, ...narrower] = LEVELS.toReversed() as [Level, ...Level[]];
  const rows = ({ table, dimensions }: Level, grain: string, whose = trusted("true")) => sql`
    select user_did, timestamp as start, ${names(dimensions)}, ${measures} from ${trusted(table)}
     where time_type = ${grain} and ${whose} and ${inScope(scope, "user_did", "timestamp")}`;
  const { range: _, ...allTime } = scope;
  // Sums are of whole buckets, so their sources are not cut at the scope's edges; the join below leaves the others out.
  const summed = ({ dimensions }: Level, user: Sql, start: Sql, source: Sql) => sql`
    select ${user} as user_did, ${start} as start, ${names(dimensions)}, ${sums} from (${source}) as source group by 1, 2, ${names(dimensions)}`;
  const allRows = ({ table }: Level, grain: string) =>
    sql`select * from ${trusted(table)} where time_type = ${grain} and ${inScope(allTime, "user_did", "timestamp")}`;
  const own = trusted("user_did");
  const at = trusted("timestamp");

  const calls = sql`select user_did, quarter_of(call_time) as timestamp, type, provider_id, model, coalesce(app_did, '') as app_did, status, ${trusted(CALL_MEASURES)}
                      from model_calls where voided_at is null and ${inScope(allTime, "user_did", "call_time")}`;
  return [
    compare(
      scope,
      detail,
      "quarter",
      summed(detail, own, at, calls),
      rows(detail, "quarter", sql`user_did <> ${ALL_USERS}`),
      true,
    ),
    ...(everyone
      ? [
          compare(
            scope,
            detail,
            "quarter",
            summed(
              detail,
              sql`${ALL_USERS}::text`,
              at,
              sql`${allRows(detail, "quarter")} and user_did <> ${ALL_USERS}`,
            ),
            rows(detail, "quarter", sql`user_did = ${ALL_USERS}`),
            true,
          ),
        ]
      : []),
    ...narrower.map((level, i) =>
      compare(
        scope,
        level,
        "quarter",
        summed(level, own, at, allRows([detail, ...narrower][i]!, "quarter")),
        rows(level, "quarter"),
        false,
      ),
    ),
    ...LEVELS.flatMap((level) => [
      compare(
        scope,
        level,
        "hour",
        summed(level, own, sql`date_trunc('hour', timestamp, 'UTC')`, allRows(level, "quarter")),
        rows(level, "hour"),
        false,
      ),
      compare(
        scope,
        level,
        "day",
        summed(level, own, sql`date_trunc('day', timestamp, 'UTC')`, allRows(level, "hour")),
        rows(level, "day"),
        false,
      ),
    ]),
  ];
}

function compare(
  scope: RollupScope,
  { table, dimensions }: Level,
  grain: string,
  expected: Sql,
  found: Sql,
  skipChanged: boolean,
): Sql {
  const key = ["user_did", "start", ...dimensions];
  const values = (side: string) =>
    trusted(`jsonb_build_object(${MEASURE_COLUMNS.map((name) => `'${name}', ${side}.${name}`).join(", ")})`);
  const waiting = sql`not exists (select from model_call_changes as changed where changed.user_did = coalesce(e.user_did, f.user_did) and changed.quarter = coalesce(e.start, f.start))`;
  return sql`
    select ${table} as "table", ${grain} as grain, user_did as "userDid", ${isoText(trusted("start"))} as start,
           jsonb_build_object(${names(dimensions.map((name) => `'${name}', ${name}`))}) as dimensions,
           case when e.calls is null then null else ${values("e")} end as expected,
           case when f.calls is null then null else ${values("f")} end as found
      from (${expected}) as e full join (${found}) as f using (${names(key)})
     where (${names(MEASURE_COLUMNS.map((name) => `e.${name}`))}) is distinct from (${names(MEASURE_COLUMNS.map((name) => `f.${name}`))})
       and ${inScope(scope, "user_did", "start")} and ${skipChanged ? waiting : trusted("true")}
     order by start, user_did`;
}
