import { defineEntity, p } from "@mikro-orm/core";

/** Something an admin did. Rows are only ever added. */
export const AdminActionEntity = defineEntity({
  name: "AdminAction",
  tableName: "admin_actions",
  properties: {
    id: p.bigint("string").primary().autoincrement(),
    at: p.datetime().columnType("timestamptz"),
    actor: p.text(),
    action: p.text(),
    target: p.text(),
    details: p.json(),
    requestId: p.text().nullable(),
  },
});
