import sql, { empty, raw, type Sql } from "sql-template-tag";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { FINE, QUARTERS_A_DAY, TIME_TYPES } from "../layout/time-types.ts";
import { isAsked, lookedUp, OF_USERS, where } from "./asked-rows.ts";
import { andMatchesIds } from "./filter-sql.ts";
import { ITEM_OF_FINE } from "./named-items.ts";
import { levelsOf, type UsageShape } from "./usage-shape.ts";

const COLUMNS = "timestamp, type, model_id, item";
const stored = raw(STORED_LIST);
const day = raw(String(QUARTERS_A_DAY));

export type FineRowOptions = {
  /** Nothing is read unless this holds, which is looked at once. */
  onlyIf?: Sql | undefined;
  /** A condition on the item of the level that knows the groups. */
  andItem?: (item: Sql) => Sql;
};

/**
 * Selects the fine rows of `lookUps` that answer, with everything that the look-ups have. The items of all users together are those
 * without a key.
 */
export function fineRows(shape: UsageShape, lookUps: Sql, options: FineRowOptions = {}): Sql {
  if (shape.isEveryone) return fineRowsOfEveryone(shape, lookUps, options);
  const { onlyIf, andItem = () => empty } = options;
  const item = raw(ITEM_OF_FINE[levelsOf(shape).groups]);
  return lookedUp(COLUMNS, lookUps, sql`${isAsked(shape)}${andMatchesIds(shape)}${andItem(item)}`, onlyIf);
}

/**
 * All users together have fine rows on dense days of theirs only, which is seen by any of them; on other days the users' own, which are
 * few, are read instead.
 */
function fineRowsOfEveryone(shape: UsageShape, lookUps: Sql, options: FineRowOptions): Sql {
  const { onlyIf, andItem = () => empty } = options;
  const level = levelsOf(shape).groups;
  const item = raw(ITEM_OF_FINE[level]);
  const keyless = raw("coalesce(keyless_id, item)");
  const together = sql`${isAsked(shape)} and time_type = ${raw(String(TIME_TYPES.fineOfDenseDay))}`;
  return sql`
      select look_up.*, found.*
        from ${lookUps}
       cross join lateral (
         select greatest(look_up.lo, start) as lo, least(look_up.hi, start + ${day}) as hi,
                exists (select from model_call_stats where ${together} and timestamp >= start and timestamp < start + ${day}) as is_dense
           from generate_series(day_start(look_up.lo), look_up.hi - 1, ${day}) as start offset 0) as days
       cross join lateral (
         select ${raw(COLUMNS)}, ${stored} from model_call_stats
          where is_dense and ${together} and timestamp >= days.lo and timestamp < days.hi${andMatchesIds(shape)}${andItem(item)}
         union all
         select timestamp, type, model_id, ${keyless}, ${stored}
           from model_call_stats as fine cross join lateral (select keyless_id from model_call_combos where id = fine.item offset 0) as combos
          where not is_dense and ${OF_USERS} and time_type in ${raw(FINE)} and timestamp >= days.lo and timestamp < days.hi${andMatchesIds({ ...shape, isEveryone: false })}${andItem(level === "combo" ? keyless : item)}
         offset 0) as found${where(onlyIf)}`;
}
