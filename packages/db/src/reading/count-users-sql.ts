import sql, { raw, type Sql } from "sql-template-tag";
import { chunkOf, NO_USERS, placeOf } from "../layout/user-days.ts";
import { EDGE_FINE_LOOK_UPS, EDGE_LOOK_UPS, WHOLE_DAYS } from "./ask-threshold.ts";
import { lookedUp, OF_USERS, TIME_TYPE } from "./asked-rows.ts";
import { andMatchesIds } from "./filter-sql.ts";
import { type UsageShape } from "./usage-shape.ts";

/**
 * Writes `counted`: how many users have calls in the range, as the CTEs of `thresholdSql` find them. Of whole days the users' bits tell it,
 * where any call will do. Whoever is `named` counts by their sum; whoever is not has what their rows and the partial edges say.
 */
export function countCtes(usage: UsageShape, onlyIf: Sql): Sql[] {
  const condition = sql`${OF_USERS}${andMatchesIds({ ...usage, isEveryone: false })}`;
  const users = (lookUps: Sql) =>
    sql`select user_id from (${lookedUp("user_id", lookUps, condition, { onlyIf, timeType: TIME_TYPE })}) as rows`;
  return [
    sql`present as materialized (
      select chunk, bit_or(users) as users
        from ${WHOLE_DAYS} cross join lateral (
          select chunk, users from model_call_user_days where timestamp >= lo and timestamp < hi offset 0) as days
       where ${onlyIf} group by chunk)`,
    sql`others as materialized (
      select distinct user_id from (
        ${users(EDGE_LOOK_UPS)}
        union all
        ${users(EDGE_FINE_LOOK_UPS)}
        union all
        select id from (select distinct user_did from live where ${onlyIf}) as edges join model_call_users on did = user_did) as rows)`,
    sql`counted as materialized (
      select (select coalesce(sum(bit_count(users)), 0) from present)
           - (select count(*) from named join present on chunk = ${raw(chunkOf("user_id"))} where ${HAS_BIT})
           + (select count(*) from others left join present on chunk = ${raw(chunkOf("user_id"))}
               where not ${HAS_BIT} and user_id not in (select user_id from named where user_id is not null))
           + (select count(*) from sums where key0 in (select user_did from named)) as count)`,
  ];
}

const HAS_BIT = raw(`(get_bit(coalesce(users, ${NO_USERS}), ${placeOf("user_id")}) = 1)`);
