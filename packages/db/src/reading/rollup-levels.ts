export type Level = { table: string; dimensions: string[] };

/** The rollups, narrowest first: each knows the dimensions of the one before and more, and has more rows. */
export const LEVELS: Level[] = [
  { table: "model_call_stats", dimensions: ["type"] },
  { table: "model_call_model_stats", dimensions: ["type", "provider_id", "model"] },
  { table: "model_call_detail_stats", dimensions: ["type", "provider_id", "model", "app_did", "status"] },
];

/** The user that stands for all users together in the rollups. */
export const ALL_USERS = "";
