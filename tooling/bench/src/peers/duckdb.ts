import { type Periods } from "../periods.ts";
import { CALL_COLUMNS, DAY_COLUMNS, FILL_DAYS, FROM_CALLS, FROM_DAYS } from "./in-process-sql.ts";
import { type DuckDb, type DuckDbAppender } from "./load-duckdb.ts";
import { addUpDays, addUpModels, type PeerDay } from "./peer-answer.ts";
import { type Peer, utcDay } from "./peer.ts";
import { type CallRow, type RowsOfCalls } from "./stream-calls.ts";

/** DuckDB in this process and in memory: from calls sorted by user and time, and from rows a day. */
export async function createDuckDb({ DuckDBInstance }: DuckDb, calls: RowsOfCalls): Promise<Peer[]> {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(
    `create table calls (${CALL_COLUMNS.map(([name, type]) => `"${name}" ${type}`).join(", ")})`,
  );
  const appender = await connection.createAppender("calls");
  for await (const rows of calls()) for (const row of rows) append(appender, row);
  appender.closeSync();
  await connection.run(`create table days (${DAY_COLUMNS})`);
  await connection.run(FILL_DAYS);
  const peer = async (name: string, rounds: number, sql: typeof FROM_DAYS): Promise<Peer> => {
    const statements = {
      days: await connection.prepare(sql.days),
      models: await connection.prepare(sql.models),
    };
    const rowsOf = async <Row>(statement: keyof typeof statements, values: string[]) => {
      statements[statement].bind(values);
      return (await statements[statement].runAndReadAll()).getRowObjectsJS() as Row[];
    };
    return {
      name,
      rounds,
      async read(userDid: string, { current, previous }: Periods) {
        const [from, to] = [utcDay(current.from), utcDay(current.to)];
        const days = await rowsOf<PeerDay>("days", [userDid, utcDay(previous.from), to]);
        const models = await rowsOf<{ model: string; calls: number }>("models", [userDid, from, to]);
        return { ...addUpDays(days, from), models: addUpModels(models) };
      },
    };
  };
  return [
    await peer("DuckDB in the process, calls", 20, FROM_CALLS),
    await peer("DuckDB in the process, days", 20, FROM_DAYS),
  ];
}

function append(appender: DuckDbAppender, row: CallRow): void {
  CALL_COLUMNS.forEach(([, type], i) => {
    const value = row[i]!;
    if (type === "varchar") appender.appendVarchar(String(value));
    else if (type === "bigint") appender.appendBigInt(BigInt(value));
    else appender.appendDouble(Number(value));
  });
  appender.endRow();
}
