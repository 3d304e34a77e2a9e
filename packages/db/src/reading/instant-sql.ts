import sql, { type Sql } from "sql-template-tag";

/** Writes an instant as a parameter: with its zone, to the millisecond. The driver would write it in this process's zone. */
export function instant(time: Date): string {
  return time.toISOString();
}

/** Writes instants as one parameter, to be cast (`::timestamptz[]`). */
export function instants(times: readonly Date[]): string[] {
  return times.map(instant);
}

/**
 * Reads a `timestamptz` as the text of an ISO instant, for `new Date`. A cast to text would be written as the session's
 * `DateStyle` says, which a database may set to anything: `new Date` reads some of those wrong, and some not at all.
 */
export function isoText(time: Sql): Sql {
  return sql`to_char((${time}) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
