import { typeName } from "./call-types.ts";
import { NEXT } from "./tables.ts";

export const OLD_TABLES = ["model_call_stats", "model_call_model_stats", "model_call_detail_stats"];

const LATER_MEASURES = ["cache_write_tokens", "reasoning_tokens", "unpriced_calls"];

const success = "calls - coalesce(failed_calls, 0) - coalesce(processing_calls, 0)";
const known = (column: string) => `coalesce(${column}, 0)`;

/** What an old row has of new ones. */
const MEASURES: Record<string, string> = {
  calls: "calls",
  success_calls: success,
  failed_calls: known("failed_calls"),
  input_tokens: known("input_tokens"),
  output_tokens: known("output_tokens"),
  cached_input_tokens: known("cached_input_tokens"),
  cache_write_tokens: known("cache_write_tokens"),
  reasoning_tokens: known("reasoning_tokens"),
  unpriced_calls: known("unpriced_calls"),
  total_usage: `${known("input_tokens")}::numeric + ${known("output_tokens")} + ${known("other_usage")}`,
  credits: known("credits"),
  duration_ms_sum: known("duration_ms_sum"),
  duration_ms_count: `${success} - ${known("duration_unknown")}`,
  ttfb_ms_sum: known("ttfb_ms_sum"),
  ttfb_ms_count: known("ttfb_ms_count"),
};
const COLUMNS = Object.keys(MEASURES).join(", ");
const SUMS = Object.keys(MEASURES)
  .map((column) => `sum(${column})`)
  .join(", ");
const VALUES = Object.entries(MEASURES)
  .map(([column, value]) => `${value} as ${column}`)
  .join(", ");

const DETAIL = ["type", "provider_id", "model", "app_did", "status"];
const DIMENSIONS: Record<string, string[]> = {
  model_call_model_stats: DETAIL.slice(0, 3),
  model_call_stats: DETAIL.slice(0, 1),
};

/** Gives the old rollups, as they were made first, the measures that came before the new. */
export const ADD_OLD_MEASURES = OLD_TABLES.map(
  (table) =>
    `alter table ${table} ${LATER_MEASURES.map((name) => `add column ${name} bigint not null default 0`).join(", ")}`,
);

/** Fills the old rollups from the new fine rows: the finest first, and the others from it. Keys and tags are added up. */
export const FILL_OLD_TABLES = [
  insert(
    "model_call_detail_stats",
    DETAIL,
    `select whom.user_did, 'quarter' as time_type, quarter_start(timestamp) as timestamp, ${typeName("fine.type")} as type,
            provider_id, model, coalesce(app_did, '') as app_did, status, ${VALUES}
       from ${NEXT} as fine
       join model_call_users as whose on whose.id = user_id
       join model_call_models as known on known.id = fine.model_id
       join model_call_combos as combo on combo.id = item
      cross join lateral (values (did), ('')) as whom(user_did)
      where user_id <> 0 and time_type in (0, 1, 2)`,
  ),
  ...["hour", "day"].map((grain, i) =>
    insert(
      "model_call_detail_stats",
      DETAIL,
      `select user_did, '${grain}' as time_type, date_trunc('${grain}', timestamp, 'UTC') as timestamp, ${DETAIL.join(", ")}, ${COLUMNS}
         from model_call_detail_stats where time_type = '${["quarter", "hour"][i]}'`,
    ),
  ),
  ...Object.entries(DIMENSIONS).map(([table, dimensions]) =>
    insert(table, dimensions, `select * from model_call_detail_stats`),
  ),
];

function insert(table: string, dimensions: string[], source: string): string {
  const key = ["user_did", "time_type", "timestamp", ...dimensions].join(", ");
  return `insert into ${table} (${key}, ${COLUMNS}) select ${key}, ${SUMS} from (${source}) as source group by ${key}`;
}
