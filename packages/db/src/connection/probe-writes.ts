import { type MikroORM } from "@mikro-orm/postgresql";

/**
 * Whether the database behind a pool takes writes: it is no standby, and not set to read-only. Throws where it does not answer.
 * Asked on a connection such as the next statement would get.
 */
export async function probeWrites(orm: MikroORM): Promise<boolean> {
  const [row] = await orm.em
    .fork()
    .execute<{ read_only: string }[]>("select current_setting('transaction_read_only') as read_only");
  return row!.read_only === "off";
}
