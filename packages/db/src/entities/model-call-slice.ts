import { defineEntity, p } from "@mikro-orm/core";

/** A part of the users. Whoever rolls some of them up locks its row. */
export const ModelCallSliceEntity = defineEntity({
  name: "ModelCallSlice",
  tableName: "model_call_slices",
  properties: { slice: p.smallint().primary().autoincrement(false) },
});
