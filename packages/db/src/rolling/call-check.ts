import { type RollupScope } from "@usage-stats/core";
import sql, { raw, type Sql } from "sql-template-tag";
import { typeCode, typeName } from "../layout/call-type-codes.ts";
import { STORED_LIST, STORED_OF_CALL } from "../layout/stored-measures.ts";
import { EVERYONE, FINE } from "../layout/time-types.ts";
import { instant } from "../reading/instant-sql.ts";
import { type Quarters } from "./derive-rollups.ts";
import { isFrozen } from "./frozen-quarters.ts";
import { answered, DIFFERS, MEASURES_OF_SIDES, START, SUMS_OF_SIDES } from "./rollup-difference.ts";
import { inScope, rangeOf, type RowScope, rowsIn, startsIn } from "./rollup-scope.ts";

/**
 * Builds the statement that compares the users' fine rows of some quarters of one month with their calls. Answers `CheckRow`s, and how many
 * quarters are `frozen`. What waits in the change log and what is frozen is not compared.
 */
export function callCheck({ userDid }: RollupScope, rows: RowScope, quarters: Quarters): Sql {
  const scope = { range: rangeOf(quarters), ...(userDid !== undefined && { userDid }) };
  const calls = sql`select user_did, ${OF_CALL} from model_calls where voided_at is null and ${inScope(scope, "user_did", "call_time")}`;
  return sql`
    with ${comparedWithCalls(calls, rows, quarters)}
    ${answered(
      sql`select count(*) filter (where not is_frozen) as compared,
                 count(distinct (user_did, timestamp)) filter (where is_frozen and found_rows > 0) as frozen from compared`,
      sql`select ${DIFFERENCE} from compared where not is_frozen and (${DIFFERS})`,
    )}`;
}

/**
 * Builds the statement that compares the users' fine rows of some quarters of one month with the calls of the users who have any
 * there, and logs the quarters that differ as changed, and announces them, so that they are recomputed. Answers `CheckRow`s.
 */
export function callRepair(quarters: Quarters): Sql {
  const fine = sql`user_id <> ${EVERYONE}::int and time_type::int in ${raw(FINE)} and ${startsIn(quarters)}`;
  // Calls are looked up user by user: by their time alone no index finds them.
  const calls = sql`
    select did, calls.*
      from (select did from (select distinct user_id from model_call_stats where ${fine}) as there join model_call_users as users on users.id = user_id) as users
     cross join lateral (
       select ${OF_CALL} from model_calls
        where user_did = did and voided_at is null and ${inScope({ range: rangeOf(quarters) }, "user_did", "call_time")} offset 0) as calls`;
  return sql`
    with ${comparedWithCalls(calls, {}, quarters)},
    different as materialized (select * from compared where not is_frozen and (${DIFFERS})),
    logged as (insert into model_call_changes select distinct user_did, quarter_start(timestamp) from different returning user_did),
    told as materialized (select announce_changes(array(select distinct user_did from logged limit 101)) where exists (select from logged))
    ${answered(
      sql`select count(*) filter (where not is_frozen) as compared, (select count(*) from told) as told from compared`,
      sql`select ${DIFFERENCE} from different`,
    )}`;
}

const NAMES = ["type", "provider_id", "model", "app_did", "status", "key_id", "tags"];
const names = raw(NAMES.join(", "));

const OF_CALL = raw(
  `quarter_number(call_time) as timestamp, ${typeCode("type")} as type, provider_id, model, coalesce(app_did, '') as app_did, status, coalesce(key_id, '') as key_id, coalesce(tags, '{}') as tags, ${STORED_OF_CALL}`,
);

/** Every quarter and combination that has calls or a fine row, and does not wait, `compared` on both sides. */
function comparedWithCalls(calls: Sql, rows: RowScope, quarters: Quarters): Sql {
  const { from } = rangeOf(quarters);
  const stored = raw(STORED_LIST);
  return sql`
    month as materialized (
      select not has_model_calls_partition(date_trunc('month', ${instant(from)}::timestamptz, 'UTC')) as is_missing),
    sums as (
      select user_did, timestamp, ${names}, ${SUMS_OF_SIDES}
        from (
          select false as is_expected, did as user_did, timestamp, models.type, models.provider_id, models.model, coalesce(app_did, '') as app_did, status,
                 coalesce(key_id, '') as key_id, coalesce(tags, '{}') as tags, ${stored}
            from (select * from model_call_stats
                   where user_id <> ${EVERYONE}::int and ${rowsIn({ ...rows, weeks: quarters }, FINE)}) as stats
            join model_call_users as users on users.id = user_id
            join model_call_combos as combos on combos.id = item join model_call_models as models on models.id = combos.model_id
          union all select true, calls.* from (${calls}) as calls) as sides
       group by user_did, timestamp, ${names}),
    compared as materialized (
      select sums.*, is_missing or ${isFrozen("sums.user_did", "at.quarter")} as is_frozen
        from sums cross join month cross join lateral (select quarter_start(timestamp) as quarter) as at
       where not exists (select from model_call_changes as changed where changed.user_did = sums.user_did and changed.quarter = at.quarter))`;
}

const DIMENSIONS: Record<string, string> = {
  type: typeName("type"),
  key_id: "nullif(key_id, '')",
  tags: "nullif(tags, '{}')::text",
};

const DIFFERENCE = sql`
  'fine rows' as "table", 'quarter' as grain, user_did as "userDid", ${START},
  jsonb_strip_nulls(jsonb_build_object(${raw(NAMES.map((name) => `'${name}', ${DIMENSIONS[name] ?? name}`).join(", "))})) as dimensions, ${MEASURES_OF_SIDES}`;
