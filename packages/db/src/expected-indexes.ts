/** The indexes that should exist on the parents, as PostgreSQL describes them: a test compares them with a migrated database. */
export const EXPECTED_INDEXES: Record<string, string> = {
  api_keys_pkey: "UNIQUE btree (id)",
  server_secrets_pkey: "UNIQUE btree (name)",
  admin_actions_pkey: "UNIQUE btree (id)",
  // Who a call is, and the way to the calls of a user by time.
  idx_model_calls_user_time_type: "UNIQUE btree (user_did, call_time, id)",
  // The ways to the calls of a run, of the runs that it began, and of a conversation.
  idx_model_calls_user_run_id: "btree (user_did, run_id) WHERE (run_id IS NOT NULL)",
  idx_model_calls_user_parent_run_id: "btree (user_did, parent_run_id) WHERE (parent_run_id IS NOT NULL)",
  idx_model_calls_user_conversation_id:
    "btree (user_did, conversation_id) WHERE (conversation_id IS NOT NULL)",
  idx_model_call_stats_user_type_time: 'UNIQUE btree (user_id, time_type, slice, "timestamp", item)',
  // By an expression, so that no plan takes it for one user's rows.
  idx_model_call_stats_type_time: 'btree (((time_type)::integer), "timestamp")',
  // Users' sums of a week by type, the largest first: what rankings begin with.
  idx_model_call_stats_week_calls:
    'btree ("timestamp", item, calls DESC, user_id) WHERE ((time_type = 6) AND (user_id <> 0))',
  idx_model_call_stats_week_credits:
    'btree ("timestamp", item, credits DESC NULLS LAST, user_id) WHERE ((time_type = 6) AND (user_id <> 0))',
  idx_model_call_stats_week_total_usage:
    'btree ("timestamp", item, ((((COALESCE(input_tokens, (0)::bigint) + COALESCE(output_tokens, (0)::bigint)))::numeric + COALESCE(other_usage, (0)::numeric))) DESC, user_id) WHERE ((time_type = 6) AND (user_id <> 0))',
  model_call_user_days_pkey: 'UNIQUE btree (slice, "timestamp", chunk)',
  model_call_shards_pkey: "UNIQUE btree (slice, shard)",
  model_call_slices_pkey: "UNIQUE btree (slice)",
  model_call_users_pkey: "UNIQUE btree (id)",
  model_call_users_did_key: "UNIQUE btree (did)",
  model_call_models_pkey: "UNIQUE btree (id)",
  model_call_models_name_key: "UNIQUE btree (type, provider_id, model)",
  model_call_combos_pkey: "UNIQUE btree (id)",
  // By expressions, so that what is null is found by the index, too.
  model_call_combos_name_key:
    "UNIQUE btree (model_id, status, COALESCE(app_did, ''::text), COALESCE(key_id, ''::text), COALESCE(tags, '{}'::jsonb))",
  model_call_frozen_months_pkey: "UNIQUE btree (month)",
  model_call_reopened_quarters_pkey: "UNIQUE btree (quarter, user_did)",
  idx_model_call_changes_user_quarter: "btree (user_did, quarter)",
};
