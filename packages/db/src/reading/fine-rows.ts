import sql, { empty, raw, type Sql } from "sql-template-tag";
import { STORED_LIST } from "../layout/stored-measures.ts";
import { FINE, QUARTERS_A_DAY, TIME_TYPES } from "../layout/time-types.ts";
import { isAsked, lookedUp, OF_USERS, TIME_TYPE, where } from "./asked-rows.ts";
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
 * Selects the fine rows of `lookUps` that answer, with everything that the look-ups have. With a condition on the item, the items of all
 * users together are those without a key.
 */
export function fineRows(shape: UsageShape, lookUps: Sql, options: FineRowOptions = {}): Sql {
  if (shape.isEveryone) return fineRowsOfEveryone(shape, lookUps, options);
  const { onlyIf, andItem = () => empty } = options;
  const item = raw(ITEM_OF_FINE[levelsOf(shape).groups]);
  return lookedUp(COLUMNS, lookUps, sql`${isAsked(shape)}${andMatchesIds(shape)}${andItem(item)}`, {
    onlyIf,
  });
}

/**
 * All users together have fine rows on dense days of theirs only, which is seen by any of them; on other days the users' own, which are
 * few, are read instead.
 */
function fineRowsOfEveryone(shape: UsageShape, lookUps: Sql, { onlyIf, andItem }: FineRowOptions): Sql {
  const isDense = sql`${isAsked(shape)} and time_type = ${raw(String(TIME_TYPES.fineOfDenseDay))}`;
  const inDays = sql`timestamp >= days.lo and timestamp < days.hi`;
  const item = raw(ITEM_OF_FINE[levelsOf(shape).groups]);
  const ofAll = sql`${isDense} and ${inDays}${andMatchesIds(shape)}${andItem?.(item) ?? empty}`;
  return sql`
      select look_up.*, found.*
        from ${lookUps}
       cross join lateral (
         select greatest(look_up.lo, start) as lo, least(look_up.hi, start + ${day}) as hi,
                exists (select from model_call_stats where ${isDense} and timestamp >= start and timestamp < start + ${day}) as is_dense
           from generate_series(day_start(look_up.lo), look_up.hi - 1, ${day}) as start offset 0) as days
       cross join lateral (
         select ${raw(COLUMNS)}, ${stored} from model_call_stats where is_dense and ${ofAll}
         union all
         select ${raw(COLUMNS)}, ${stored} from (${usersRows(shape, inDays, andItem)}) as users where not is_dense
         offset 0) as found${where(onlyIf)}`;
}

function usersRows(shape: UsageShape, inDays: Sql, andItem: FineRowOptions["andItem"]): Sql {
  const condition = sql`${OF_USERS} and ${TIME_TYPE} in ${raw(FINE)} and ${inDays}${andMatchesIds({ ...shape, isEveryone: false })}`;
  const columns = sql`timestamp, type, model_id`;
  const level = levelsOf(shape).groups;
  if (andItem === undefined || level !== "combo") {
    const isWanted = andItem?.(raw(ITEM_OF_FINE[level])) ?? empty;
    return sql`select ${columns}, item, ${stored} from model_call_stats where ${condition}${isWanted}`;
  }
  return sql`
           select ${columns}, keyless as item, ${stored}
             from model_call_stats as fine
            cross join lateral (select coalesce(keyless_id, id) as keyless from model_call_combos where id = fine.item offset 0) as combos
            where ${condition}${andItem(raw("keyless"))}`;
}
