import { type Database } from "../database.ts";
import { type Announce } from "./prove-hearing.ts";

/** Announces on the connections of a pool. */
export function announceOver(orm: Database): Announce {
  return async (channel, payload) => {
    await orm.em.fork().execute("select pg_notify(?, ?)", [channel, payload]);
  };
}
