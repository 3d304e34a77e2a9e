import { typeName } from "./call-types.ts";

const success = "stats.calls - coalesce(failed_calls, 0) - coalesce(processing_calls, 0)";
const zero = (column: string) => `coalesce(${column}, 0) as ${column}`;

/**
 * The rollups for people at psql: with names, times and the measures as answers have them. All users together are the user ''.
 */
export const MAKE_VIEW = `
  create view usage_rollups as
  select whose.did as user_did, stats.slice, row_types.row_type, quarter_start(stats.timestamp) as start, row_types.width,
         ${typeName("stats.type")} as type, model.provider_id, model.model,
         combo.app_did, combo.status, combo.key_id, combo.tags,
         stats.calls, ${success} as success_calls, ${zero("failed_calls")}, ${zero("processing_calls")}, ${zero("unpriced_calls")},
         ${zero("input_tokens")}, ${zero("output_tokens")}, ${zero("cached_input_tokens")}, ${zero("cache_write_tokens")}, ${zero("reasoning_tokens")},
         coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(other_usage, 0) as total_usage, ${zero("credits")},
         ${zero("duration_ms_sum")}, ${success} - coalesce(duration_unknown, 0) as duration_ms_count,
         ${zero("ttfb_ms_sum")}, ${zero("ttfb_ms_count")}
    from model_call_stats as stats
    join model_call_users as whose on whose.id = stats.user_id
    join (values
      (0, 'fine, of a sparse week', interval '15 minutes'), (1, 'fine, of a sparse day', interval '15 minutes'),
      (2, 'fine, of a dense day', interval '15 minutes'),
      (4, 'by type', interval '1 hour'), (5, 'by type', interval '1 day'), (6, 'by type', interval '7 days'),
      (7, 'by model', interval '1 day'), (8, 'by model', interval '7 days'),
      (9, 'by everything', interval '1 day'), (10, 'by everything', interval '7 days')) as row_types(time_type, row_type, width)
      on row_types.time_type = stats.time_type
    left join model_call_models as model on model.id = stats.model_id
    left join model_call_combos as combo on combo.id = stats.item and stats.time_type in (0, 1, 2, 9, 10)`;
