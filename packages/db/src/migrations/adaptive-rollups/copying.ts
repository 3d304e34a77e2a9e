import { typeCode } from "./call-types.ts";
import { CAUGHT, ROWS, STALE, TAKEN, TOO_LARGE } from "./catching.ts";
import { DECIMAL_MEASURES, NEXT, USERS_A_CHUNK, WHOLE_MEASURES } from "./tables.ts";

/** Past this an answer would round and is refused; a thousand such sums are no bigint any more. */
const LARGEST_EXACT = 2 ** 53;

/** A day or a week is dense from this many fine rows on. */
const DENSE_FROM = 16;

/** All users together have fine rows of their own on a day on which users have so many. */
const EVERYONE_DENSE_FROM = 4_096;

const MEASURES = ["calls", ...WHOLE_MEASURES, ...DECIMAL_MEASURES];
const COLUMNS = `user_id, time_type, slice, timestamp, item, type, model_id, ${MEASURES.join(", ")}`;

const SUMS = MEASURES.map((column) => {
  const sum = `${DECIMAL_MEASURES.includes(column) ? "sum" : "sum8"}(${column})`;
  return `${column === "calls" ? sum : `nullif(${sum}, 0)`} as ${column}`;
}).join(", ");

/** What a new row has of an old one. */
const OF_OLD: Record<string, string> = {
  calls: "calls",
  processing_calls: "calls - success_calls - failed_calls",
  duration_unknown: "success_calls - duration_ms_count",
  other_usage: "total_usage::numeric - input_tokens - output_tokens",
};
const CONVERTED = MEASURES.map((column) => {
  const value = OF_OLD[column] ?? column;
  return `${column === "calls" ? value : `nullif(${value}, 0)`} as ${column}`;
}).join(", ");

const OLD_WHOLE = [
  "calls",
  "success_calls",
  "failed_calls",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "cache_write_tokens",
  "reasoning_tokens",
  "unpriced_calls",
  "total_usage",
  "duration_ms_sum",
  "duration_ms_count",
  "ttfb_ms_sum",
  "ttfb_ms_count",
];

const OLD_NAMES = ["provider_id", "model", "app_did", "status"];
const OLD_COLUMNS = [...OLD_NAMES, ...OLD_WHOLE, "credits"];

/** Copies rows of the old rollups, which are called `old`. */
const copyRows = (from: string) => `
  insert into ${ROWS} (user_did, timestamp, type, ${OLD_COLUMNS.join(", ")})
  select old.user_did, quarter_number(old.timestamp), ${typeCode("old.type")}, ${OLD_COLUMNS.map((column) => `old.${column}`).join(", ")}
    from ${from}`;

const clear = (table: string) => `truncate ${table}`;

/** Puts a piece of a week's old rows into `ROWS`: all of some users. */
export function takePiece(week: number, piece: number, pieces: number): string[] {
  return [
    clear(ROWS),
    `${copyRows("model_call_detail_stats as old")}
      where time_type = 'quarter' and user_did <> '' and calls <> 0
        and timestamp >= quarter_start(${week}) and timestamp < quarter_start(${week + 672})
        and (hashtextextended(user_did, 0) & 1048575) % ${pieces} = ${piece}`,
  ];
}

/** Puts caught weeks of users into `TAKEN`, oldest first, and their old rows into `ROWS`; what was copied of them is removed. */
export function takeCaught(limit: number | "all"): string[] {
  return [
    clear(ROWS),
    clear(TAKEN),
    `with picked as (select distinct week, user_did from ${CAUGHT} order by week, user_did limit ${limit}),
     taken as (
       delete from ${CAUGHT} where ctid = any(array(
         select entry.ctid from picked cross join lateral (
           select ctid from ${CAUGHT} where week = picked.week and user_did = picked.user_did offset 0) as entry)))
     insert into ${TAKEN} (user_did, week) select user_did, week from picked`,
    `analyze ${TAKEN}`,
    // Looked up by their key, whatever is known of the tables.
    copyRows(`${TAKEN} as taken cross join lateral (
      select * from model_call_detail_stats
       where user_did = taken.user_did and time_type = 'quarter' and calls <> 0
         and timestamp >= quarter_start(taken.week) and timestamp < quarter_start(taken.week + 672) offset 0) as old`),
    `delete from ${NEXT} where ctid = any(array(
       select copied.ctid from ${TAKEN} join model_call_users on did = user_did
        cross join lateral (
          select ctid from ${NEXT} where user_id = model_call_users.id and time_type in (0, 1, 2, 4, 5, 6, 7, 8, 9, 10)
             and slice = slice_of(did) and timestamp >= week and timestamp < week + 672 offset 0) as copied))`,
    `delete from ${TOO_LARGE} as large using ${TAKEN} as taken
      where large.user_did = taken.user_did and large.timestamp >= week and large.timestamp < week + 672`,
    `insert into ${STALE} select distinct week from ${TAKEN} where week not in (select week from ${STALE})`,
  ];
}

/** Makes fine rows of `ROWS`, which has whole weeks of users, and the coarser rows that they belong in. */
export const COPY_ROWS = [
  `analyze ${ROWS}`,
  `insert into ${TOO_LARGE} select distinct user_did, timestamp from ${ROWS}
    where greatest(${OLD_WHOLE.join(", ")}) > ${LARGEST_EXACT} and not is_frozen(user_did, quarter_start(timestamp))`,
  `delete from ${ROWS} using ${TOO_LARGE} as large where ${ROWS}.user_did = large.user_did and ${ROWS}.timestamp = large.timestamp`,
  `insert into model_call_users (did)
    select distinct user_did from ${ROWS} where not exists (select from model_call_users where did = user_did)`,
  `insert into model_call_models (type, provider_id, model)
    select distinct type, provider_id, model from ${ROWS} as named
     where not exists (select from model_call_models as known
                        where (known.type, known.provider_id, known.model) = (named.type, named.provider_id, named.model))`,
  `insert into model_call_combos (model_id, app_did, status)
    select distinct known.id, nullif(app_did, ''), status
      from ${ROWS} as named join model_call_models as known using (type, provider_id, model)
     where not exists (select from model_call_combos as combo
                        where combo.model_id = known.id and combo.status = named.status and coalesce(combo.app_did, '') = named.app_did
                          and coalesce(combo.key_id, '') = '' and coalesce(combo.tags, '{}') = '{}')`,
  `with whose as materialized (
     select id, did, slice_of(did) as slice from model_call_users where did in (select user_did from ${ROWS})),
   fine as materialized (
     select whose.id as user_id,
            (case when count(*) over (partition by whose.id, day_start(timestamp)) >= ${DENSE_FROM} then 2
                  when count(*) over (partition by whose.id, week_start(timestamp)) >= ${DENSE_FROM} then 1 else 0 end)::int2 as time_type,
            whose.slice, timestamp, combo.id as item, ${ROWS}.type, combo.model_id, ${CONVERTED}
       from ${ROWS} join whose on whose.did = user_did
       join model_call_models as known using (type, provider_id, model)
       join model_call_combos as combo
         on combo.model_id = known.id and combo.status = ${ROWS}.status and coalesce(combo.app_did, '') = ${ROWS}.app_did
        and coalesce(combo.key_id, '') = '' and coalesce(combo.tags, '{}') = '{}')
   insert into ${NEXT} (${COLUMNS})
   select ${COLUMNS} from fine union all ${coarseOf("fine")}`,
];

/** Marks a week's sums of all users together as not made yet. */
export function markStale(week: number): string {
  return `insert into ${STALE} select ${week} where not exists (select from ${STALE} where week = ${week})`;
}

const inWeek = "timestamp >= week and timestamp < week + 672";

/** Makes the rows of all users together of the weeks in `STALE` anew. */
export const SUM_USERS = [
  `analyze ${STALE}`,
  `delete from ${NEXT} where ctid = any(array(
     select copied.ctid from ${STALE} cross join model_call_slices as slices cross join lateral (
       select ctid from ${NEXT} where user_id = 0 and time_type in (2, 4, 5, 6, 7, 8, 9, 10) and slice = slices.slice and ${inWeek} offset 0) as copied))`,
  `with everyone as materialized (
     select 0 as user_id, 2::int2 as time_type, fine.slice, timestamp, item, fine.type, model_id,
            sum(count(*)) over (partition by fine.slice, day_start(timestamp)) as in_day, ${SUMS}
       from ${STALE} cross join lateral (
         select * from ${NEXT} where user_id <> 0 and time_type::int in (0, 1, 2) and ${inWeek} offset 0) as fine
      group by fine.slice, timestamp, item, fine.type, model_id)
   insert into ${NEXT} (${COLUMNS})
   select ${COLUMNS} from everyone where in_day >= ${EVERYONE_DENSE_FROM} union all ${coarseOf("everyone")}`,
  `delete from model_call_user_days where timestamp in (select week + 96 * day from ${STALE} cross join generate_series(0, 6) as day)`,
  `insert into model_call_user_days (slice, timestamp, chunk, users)
   select slice, day, user_id / ${USERS_A_CHUNK}, bit_or(set_bit(0::bit(${USERS_A_CHUNK}), user_id % ${USERS_A_CHUNK}, 1))
     from (select distinct fine.slice, day_start(timestamp) as day, user_id
             from ${STALE} cross join lateral (
               select slice, timestamp, user_id from ${NEXT}
                where user_id <> 0 and time_type::int in (0, 1, 2) and ${inWeek} offset 0) as fine) as days
    group by 1, 2, 3`,
  `delete from ${STALE}`,
];

/** Selects the coarser rows that fine rows belong in, as their `time_type` says. */
function coarseOf(fine: string): string {
  return `
   select user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end, ${SUMS}
     from ${fine} as fine
    cross join lateral (values
      (4::int2, fine.timestamp & -4, fine.type::int, 2), (5, day_start(fine.timestamp), fine.type, 2),
      (6, week_start(fine.timestamp), fine.type, 0), (7, day_start(fine.timestamp), fine.model_id, 2),
      (8, week_start(fine.timestamp), fine.model_id, 1), (9, day_start(fine.timestamp), fine.item, 2),
      (10, week_start(fine.timestamp), fine.item, 1)) as coarse(time_type, timestamp, item, least)
    where fine.time_type >= coarse.least
    group by user_id, coarse.time_type, slice, coarse.timestamp, coarse.item, type, case when coarse.time_type >= 7 then model_id end`;
}
