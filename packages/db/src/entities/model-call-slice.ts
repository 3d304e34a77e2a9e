import { defineEntity, p } from "@mikro-orm/core";

/** What rollups are distributed by, should one PostgreSQL be outgrown. */
export const ModelCallSliceEntity = defineEntity({
  name: "ModelCallSlice",
  tableName: "model_call_slices",
  properties: { slice: p.smallint().primary().autoincrement(false) },
});

/** On which days users have fine rows: a bit for each user, of 8,192 whose ids follow each other. `timestamp` counts quarters of an hour. */
export const ModelCallUserDayEntity = defineEntity({
  name: "ModelCallUserDay",
  tableName: "model_call_user_days",
  properties: {
    slice: p.smallint().primary(),
    timestamp: p.integer().primary(),
    chunk: p.integer().primary(),
    users: p.string().columnType("bit(8192)"),
  },
});

/** A part of a slice's users. Whoever rolls some of them up locks its row; that of -1 is of all users together. */
export const ModelCallShardEntity = defineEntity({
  name: "ModelCallShard",
  tableName: "model_call_shards",
  properties: { slice: p.smallint().primary(), shard: p.smallint().primary() },
});
