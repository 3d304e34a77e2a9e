import { defineEntity, p } from "@mikro-orm/core";

/** What rollups are distributed by, should one PostgreSQL be outgrown. */
export const ModelCallSliceEntity = defineEntity({
  name: "ModelCallSlice",
  tableName: "model_call_slices",
  properties: { slice: p.smallint().primary().autoincrement(false) },
});

/** A part of a slice's users. Whoever rolls some of them up locks its row; that of -1 is of all users together. */
export const ModelCallShardEntity = defineEntity({
  name: "ModelCallShard",
  tableName: "model_call_shards",
  properties: { slice: p.smallint().primary(), shard: p.smallint().primary() },
});
