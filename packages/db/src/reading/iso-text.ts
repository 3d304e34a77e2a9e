import { type Sql, sql } from "../sql-fragment.ts";

/**
 * A `timestamptz` as the text of an ISO instant, to be read by `new Date`. A cast to text would be written as the session's
 * `DateStyle` says, which a database may set to anything: `new Date` reads some of those wrong, and some not at all.
 */
export function isoText(time: Sql): Sql {
  return sql`to_char((${time}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
