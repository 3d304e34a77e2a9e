import sql from "sql-template-tag";
import { sessionOf } from "../connection/session.ts";
import { type Database } from "../database.ts";
import { type Announce } from "./prove-hearing.ts";

/**
 * Announces on the connections of a pool. `onQueueUsage` is told each time how full the database's queue of announcements is, from 0
 * to 1: when it is full, everybody fails who announces something, and so every write of calls.
 */
export function announceOver(orm: Database, onQueueUsage: (usage: number) => void = () => {}): Announce {
  return async (channel, payload) => {
    const [row] = await sessionOf(orm.em.fork()).execute<{ usage: number }>(
      sql`select pg_notify(${channel}, ${payload}), pg_notification_queue_usage() as usage`,
    );
    onQueueUsage(row!.usage);
  };
}
