/** The indexes that should exist on the parents, as PostgreSQL describes them: a test compares them with a migrated database. */
export const EXPECTED_INDEXES: Record<string, string> = {
  api_keys_pkey: "UNIQUE btree (id)",
  server_secrets_pkey: "UNIQUE btree (name)",
  admin_actions_pkey: "UNIQUE btree (id)",
  // Who a call is, and the way to the calls of a user by time.
  idx_model_calls_user_time_type: "UNIQUE btree (user_did, call_time, id)",
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
