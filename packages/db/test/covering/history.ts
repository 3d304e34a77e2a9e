import {
  CALL_FIELD_NAMES,
  type CallWriter,
  type ModelCall,
  type RecordOutcome,
  startOfGrain,
} from "@usage-stats/core";
import { createCallWriter } from "../../src/index.ts";
import { type TestDatabase } from "../../src/testing/index.ts";

/** A database, and the calls that there should be in it. */
export type History = {
  database: TestDatabase;
  calls(): ModelCall[];
  /** Whether what was rolled up of a user's quarter stays as it is, because its calls were dropped. */
  isFrozen(userDid: string, time: Date): boolean;
  /** Records calls, and expects that of each becomes what must. */
  record(calls: ModelCall[]): Promise<void>;
  void(call: ModelCall): Promise<void>;
  /** Changes a call behind the writer's back; `null` deletes it. */
  inPsql(call: ModelCall, change: Partial<Pick<ModelCall, "userDid" | "callTime">> | null): Promise<void>;
  /** Drops the calls of a month. What was rolled up of them stays, and what was not is gone. */
  dropMonth(time: Date): Promise<void>;
};

const identity = (call: ModelCall) => JSON.stringify([call.userDid, call.id, call.callTime.getTime()]);
const quarterOf = (userDid: string, time: Date) =>
  JSON.stringify([userDid, startOfGrain(time, "quarter").getTime()]);
const textOf = (call: ModelCall) => JSON.stringify(CALL_FIELD_NAMES.map((name) => call[name]));

/** Begins one in which nothing ever happened: also what was dropped, or frozen, is as it was at first. */
export async function beginHistory(
  database: TestDatabase,
  expectOutcomes: (found: RecordOutcome[], expected: RecordOutcome[]) => void,
): Promise<History> {
  await database.orm.em.fork().execute(`
    do $$ declare part regclass; begin
      for part in select partition from model_calls_partitions() loop execute format('drop table %s', part); end loop;
    end $$;
    truncate model_call_stats, model_call_user_days, model_call_changes, model_call_frozen_months, model_call_reopened_quarters`);
  // It knows no partitions yet.
  const writer: CallWriter = createCallWriter(database.orm);
  const known = new Map<string, ModelCall>();
  const frozen = new Set<string>();
  const isFrozen = (userDid: string, time: Date) => frozen.has(quarterOf(userDid, time));
  const run = <Row extends object>(sql: string, parameters: unknown[] = []) =>
    database.orm.em.fork().execute<Row[]>(sql, parameters);

  function outcomeOf(call: ModelCall): RecordOutcome {
    if (isFrozen(call.userDid, call.callTime)) return "not_kept";
    const before = known.get(identity(call));
    if (before === undefined) return "added";
    return textOf(before) === textOf(call) ? "repeated" : "corrected";
  }

  return {
    database,
    isFrozen,
    calls: () => [...known.values()],
    async record(calls) {
      const expected = calls.map(outcomeOf);
      expectOutcomes(await writer.record(calls), expected);
      for (const [i, call] of calls.entries())
        if (expected[i] !== "not_kept") known.set(identity(call), call);
    },
    async void(call) {
      const { userDid, id, callTime } = call;
      const gone = isFrozen(userDid, callTime);
      const [outcome] = await writer.record([{ userDid, id, callTime, void: true }]);
      // A writer that did not notice that the month was dropped finds no such call.
      expectOutcomes([outcome!], [gone && outcome === "unknown" ? outcome : gone ? "not_kept" : "voided"]);
      if (!gone) known.delete(identity(call));
    },
    async inPsql(call, change) {
      const key = [call.userDid, call.id, call.callTime];
      const where = "user_did = ? and id = ? and call_time = ?";
      if (change === null) await run(`delete from model_calls where ${where}`, key);
      else {
        const { userDid, callTime } = { ...call, ...change };
        await run("select ensure_model_calls_partition(?)", [callTime]);
        const update = `update model_calls set user_did = ?, call_time = ? where ${where}`;
        await run(update, [userDid, callTime, ...key]);
      }
      // There is nothing there any more to be changed.
      if (isFrozen(call.userDid, call.callTime)) return;
      known.delete(identity(call));
      if (change !== null) known.set(identity({ ...call, ...change }), { ...call, ...change });
    },
    async dropMonth(time) {
      const month = time.toISOString().slice(0, 7);
      await run(`drop table if exists model_calls_${month.replace("-", "_")}`);
      const rolledUp = await run<{ user_did: string; at: string }>(
        `select did as user_did, extract(epoch from quarter_start(timestamp)) * 1000 as at
           from model_call_stats join model_call_users on id = user_id where time_type in (0, 1, 2) and user_id <> 0`,
      );
      const quarters = new Set(rolledUp.map((row) => quarterOf(row.user_did, new Date(Number(row.at)))));
      for (const [key, call] of known) {
        if (!call.callTime.toISOString().startsWith(month)) continue;
        const quarter = quarterOf(call.userDid, call.callTime);
        if (quarters.has(quarter)) frozen.add(quarter);
        else known.delete(key);
      }
    },
  };
}
