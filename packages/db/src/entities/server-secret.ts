import { defineEntity, p } from "@mikro-orm/core";

/** A secret that all servers of a database share. */
export const ServerSecretEntity = defineEntity({
  name: "ServerSecret",
  tableName: "server_secrets",
  properties: { name: p.text().primary(), secret: p.text() },
});
