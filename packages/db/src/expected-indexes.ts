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
  idx_model_call_stats_user_type_time: 'UNIQUE btree (user_did, time_type, "timestamp", type)',
  idx_model_call_stats_type_time: 'btree (time_type, "timestamp")',
  idx_model_call_model_stats_user_type_time:
    'UNIQUE btree (user_did, time_type, "timestamp", type, provider_id, model)',
  idx_model_call_detail_stats_user_type_time:
    'UNIQUE btree (user_did, time_type, "timestamp", type, provider_id, model, app_did, status)',
  idx_model_call_detail_stats_type_time:
    "btree (time_type, \"timestamp\") WHERE (time_type = 'quarter'::text)",
  model_call_frozen_months_pkey: "UNIQUE btree (month)",
  model_call_reopened_quarters_pkey: "UNIQUE btree (quarter, user_did)",
  idx_model_call_changes_user_quarter: "btree (user_did, quarter)",
};
