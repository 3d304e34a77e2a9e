import { DatabaseSync } from "node:sqlite";
import { type Periods } from "../periods.ts";
import { CALL_COLUMNS, DAY_COLUMNS, FILL_DAYS, FROM_CALLS, FROM_DAYS } from "./in-process-sql.ts";
import { addUpDays, addUpModels, type PeerDay } from "./peer-answer.ts";
import { type Peer, utcDay } from "./peer.ts";
import { type RowsOfCalls } from "./stream-calls.ts";

/** SQLite in this process and in memory: from calls by an index that covers the question, and from rows a day. */
export async function createSqlite(calls: RowsOfCalls): Promise<Peer[]> {
  const database = new DatabaseSync(":memory:");
  const names = CALL_COLUMNS.map(([name]) => `"${name}"`);
  database.exec(`create table calls (${CALL_COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(", ")})`);
  const insert = database.prepare(`insert into calls values (${names.map(() => "?").join(", ")})`);
  for await (const rows of calls()) {
    database.exec("begin");
    for (const row of rows) insert.run(...row);
    database.exec("commit");
  }
  database.exec(`create index calls_by_user on calls (${names.join(", ")})`);
  database.exec(`create table days (${DAY_COLUMNS}, primary key ("user", day, model)) without rowid`);
  database.exec(FILL_DAYS);
  database.exec("analyze");
  const peer = (name: string, rounds: number, sql: typeof FROM_DAYS): Peer => {
    const statements = { days: database.prepare(sql.days), models: database.prepare(sql.models) };
    return {
      name,
      rounds,
      read(userDid: string, { current, previous }: Periods) {
        const [before, from, to] = [previous.from, current.from, current.to].map(utcDay) as [
          string,
          string,
          string,
        ];
        const days = statements.days.all(userDid, before, to) as PeerDay[];
        const models = statements.models.all(userDid, from, to) as { model: string; calls: number }[];
        return { ...addUpDays(days, from), models: addUpModels(models) };
      },
    };
  };
  return [
    peer("SQLite in the process, calls", 4, FROM_CALLS),
    peer("SQLite in the process, days", 60, FROM_DAYS),
  ];
}
