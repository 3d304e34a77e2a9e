import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CallWriter, type ModelCall } from "@usage-stats/core";
import { createCallWriter, openDatabase } from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

let database: TestDatabase;
let callWriter: CallWriter;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.orm.em.fork().execute("delete from model_calls");
  callWriter = createCallWriter(database.orm);
});
afterAll(() => database.close());

async function rows(): Promise<Record<string, unknown>[]> {
  return database.orm.em.fork().execute("select * from model_calls order by user_did, id, call_time");
}

describe("recording", () => {
  it("keeps what looks like SQL of the library's as the value that it is", async () => {
    const fragment = { strings: ["now()) --", ""], values: [1], sql: "now()", text: "now()", params: [] };
    await callWriter.record([modelCall({ metadata: fragment, errorReason: JSON.stringify(fragment) })]);
    expect(await rows()).toMatchObject([{ metadata: fragment, error_reason: JSON.stringify(fragment) }]);
  });

  it("keeps every field as it was given", async () => {
    await callWriter.record([
      modelCall({ userDid: 'did:{a},"b"\\', model: "NULL", errorReason: "line\nbreak ✓", appDid: null }),
    ]);
    expect(await rows()).toMatchObject([
      {
        user_did: 'did:{a},"b"\\',
        model: "NULL",
        app_did: null,
        error_reason: "line\nbreak ✓",
        call_time: "2025-06-15 12:34:56.789+00",
        credits: "0.00123456",
        metadata: { purpose: "test", nested: { quote: '"\\' } },
        revision: 0,
      },
    ]);
  });

  it("keeps the key, tags, run and conversation of a call, of which each may be unknown, beside calls that say none", async () => {
    const said = {
      keyId: "key-1",
      tags: { team: "search", project: 'a "b", {c}' },
      runId: "run-2",
      parentRunId: "run-1",
      conversationId: "talk",
    };
    const calls = [
      modelCall({ id: "1", ...said }),
      modelCall({ id: "2" }),
      modelCall({ id: "3", runId: "run-2", metadata: null, appDid: null }),
    ];
    const none = { key_id: null, tags: null, run_id: null, parent_run_id: null, conversation_id: null };
    const stored = [
      { key_id: "key-1", tags: said.tags, run_id: "run-2", parent_run_id: "run-1", conversation_id: "talk" },
      none,
      { ...none, run_id: "run-2", metadata: null, app_did: null },
    ];
    await callWriter.record(calls);
    expect(await rows()).toMatchObject(stored);
    expect(await callWriter.record(calls)).toEqual(["repeated", "repeated", "repeated"]);
    // Nobody says anything of some columns then.
    expect(await callWriter.record([modelCall({ id: "1", metadata: null, errorReason: null })])).toEqual([
      "corrected",
    ]);
    expect(await rows()).toMatchObject([{ ...none, metadata: null }, ...stored.slice(1)]);
  });

  it("takes tags in another order for the same call, and others for a correction", async () => {
    await callWriter.record([modelCall({ tags: { team: "a", project: "b" } })]);
    expect(await callWriter.record([modelCall({ tags: { project: "b", team: "a" } })])).toEqual(["repeated"]);
    expect(await rows()).toMatchObject([{ revision: 0 }]);
    for (const tags of [{ team: "a" }, { team: "b" }, null])
      expect(await callWriter.record([modelCall({ tags })])).toEqual(["corrected"]);
  });

  it("counts the same call once, however often it comes", async () => {
    expect(await callWriter.record([modelCall()])).toEqual(["added"]);
    expect(await callWriter.record([modelCall({ credits: "0.001234560" }), modelCall()])).toEqual([
      "repeated",
      "repeated",
    ]);
    expect(await rows()).toHaveLength(1);
  });

  it("replaces a call whose content changed", async () => {
    await callWriter.record([modelCall({ status: "processing", totalUsage: null, credits: "0" })]);
    expect(await callWriter.record([modelCall()])).toEqual(["corrected"]);
    expect(await rows()).toMatchObject([{ status: "success", total_usage: "120", revision: 1 }]);
  });

  it("notices a change from and to unknown", async () => {
    await callWriter.record([modelCall({ ttfbMs: null })]);
    expect(await callWriter.record([modelCall({ ttfbMs: 0 })])).toEqual(["corrected"]);
    expect(await callWriter.record([modelCall({ ttfbMs: null })])).toEqual(["corrected"]);
  });

  it("tells an unknown price from none: a repeat is just that, and each change from one to the other a correction", async () => {
    const unpriced = modelCall({ status: "processing", credits: null });
    const free = modelCall({ status: "success", credits: "0" });
    expect(await callWriter.record([unpriced, unpriced])).toEqual(["added", "repeated"]);
    expect(await callWriter.record([unpriced])).toEqual(["repeated"]);
    expect(await callWriter.record([free, free])).toEqual(["corrected", "repeated"]);
    // What it was while it was processing is older news.
    expect(await callWriter.record([unpriced])).toEqual(["repeated"]);
    expect(await rows()).toMatchObject([{ credits: "0.00000000", revision: 1 }]);
    expect(await callWriter.record([{ ...free, credits: null }])).toEqual(["corrected"]);
    expect(await rows()).toMatchObject([{ credits: null, revision: 2 }]);
  });

  it("tells what each copy in one batch did, in order", async () => {
    const other = modelCall({ status: "failed" });
    expect(
      await callWriter.record([modelCall(), modelCall(), other, modelCall({ id: "call-2" }), other]),
    ).toEqual(["added", "repeated", "corrected", "added", "repeated"]);
    expect(await rows()).toMatchObject([{ status: "failed", revision: 1 }, { id: "call-2" }]);
  });

  it("tells calls apart whose user, id or time differ, even where their texts run together", async () => {
    const outcomes = await callWriter.record([
      modelCall({ userDid: "a:b", id: "c" }),
      modelCall({ userDid: "a", id: "b:c" }),
      modelCall({ userDid: "a", id: "b:c", callTime: new Date("2025-06-15T12:34:56.788Z") }),
    ]);
    expect(outcomes).toEqual(["added", "added", "added"]);
  });

  describe("a void", () => {
    const voided = ({ userDid, id, callTime }: ModelCall) => ({ userDid, id, callTime, void: true as const });
    const kept = async () => {
      const marked = await database.orm.em
        .fork()
        .execute<{ id: string; model: string; voided: boolean }[]>(
          "select id, model, voided_at is not null as voided from model_calls order by user_did, id, call_time",
        );
      return marked;
    };

    it("keeps the call, marked, and is repeated when it comes again", async () => {
      const call = modelCall({ id: "v" });
      expect(await callWriter.record([call, voided(call), voided(call)])).toEqual([
        "added",
        "voided",
        "repeated",
      ]);
      expect(await kept()).toEqual([{ id: "v", model: call.model, voided: true }]);
    });

    it("outlives whatever comes of the call afterwards", async () => {
      const call = modelCall({ id: "v" });
      await callWriter.record([call, voided(call)]);
      expect(await callWriter.record([call, { ...call, model: "other" }])).toEqual([
        "repeated",
        "stays_void",
      ]);
      expect(await kept()).toEqual([{ id: "v", model: call.model, voided: true }]);
      // A batch that is sent again does what it did.
      expect(await callWriter.record([call, voided(call)])).toEqual(["repeated", "repeated"]);
    });

    it("of a call that never came is told, and makes nothing", async () => {
      const call = modelCall({ id: "never" });
      expect(await callWriter.record([voided(call), modelCall({ id: "other" })])).toEqual([
        "unknown",
        "added",
      ]);
      expect((await kept()).map(({ id }) => id)).toEqual(["other"]);
    });

    it("of one call voids no other, whose user, id or time differs", async () => {
      const call = modelCall({ id: "v" });
      const later = { ...call, callTime: new Date(call.callTime.getTime() + 1) };
      await callWriter.record([call, later, { ...call, userDid: "did:abt:z1bob" }, { ...call, id: "w" }]);
      await callWriter.record([voided(call)]);
      expect((await kept()).map((row) => row.voided)).toEqual([false, true, false, false]);
    });
  });

  it("records all of an atomic batch or nothing, and says what stood in the way", async () => {
    const call = modelCall({ id: "a" });
    const never = { userDid: call.userDid, id: "never", callTime: call.callTime, void: true as const };
    await expect(callWriter.record([call, never], { atomic: true })).rejects.toMatchObject({
      code: "conflict",
      field: "calls.1",
    });
    expect(await rows()).toEqual([]);
    expect(await callWriter.record([call], { atomic: true })).toEqual(["added"]);
  });

  it("is durable, also where the database commits before it has written", async () => {
    const admin = database.orm.em.fork();
    const [current] = await admin.execute<{ name: string }[]>("select current_database() as name");
    const name = current!.name;
    await admin.execute(`alter database ${name} set synchronous_commit = off`);
    await admin.execute(`create table commits (setting text)`);
    await admin.execute(`create function note_commit() returns trigger language plpgsql as $$
      begin insert into commits values (current_setting('synchronous_commit')); return null; end $$`);
    await admin.execute(
      "create trigger note_commit after insert on model_calls for each statement execute function note_commit()",
    );
    const orm = await openDatabase({ url: database.url });
    try {
      await createCallWriter(orm).record([modelCall({ id: "durable" })]);
      expect(await orm.em.fork().execute("select distinct setting from commits")).toEqual([
        { setting: "on" },
      ]);
    } finally {
      await admin.execute("drop trigger note_commit on model_calls");
      await admin.execute(`alter database ${name} reset synchronous_commit`);
      await orm.close();
    }
  });

  it("is tried again where it failed for a reason that passes", async () => {
    const admin = database.orm.em.fork();
    await admin.execute("create sequence failures");
    await admin.execute(`create function fail_twice() returns trigger language plpgsql as $$
      begin
        if nextval('failures') <= 2 then raise exception 'chosen as the victim' using errcode = '40P01'; end if;
        return null;
      end $$`);
    await admin.execute(
      "create trigger fail_twice before insert on model_calls for each statement execute function fail_twice()",
    );
    try {
      expect(await callWriter.record([modelCall({ id: "again" })])).toEqual(["added"]);
    } finally {
      await admin.execute("drop trigger fail_twice on model_calls");
    }
  });

  it("takes an empty batch", async () => {
    expect(await callWriter.record([])).toEqual([]);
  });

  it("makes the partition of a call outside every existing one", async () => {
    const times = ["2003-02-28T23:59:59.999Z", "2003-03-01T00:00:00Z", "2088-12-31T23:59:59.999Z"].map(
      (time) => new Date(time),
    );
    await callWriter.record(times.map((callTime) => modelCall({ callTime })));
    const partitions = await database.orm.em
      .fork()
      .execute<{ name: string }[]>(
        "select distinct tableoid::regclass::text as name from model_calls order by 1",
      );
    expect(partitions.map(({ name }) => name)).toEqual([
      "model_calls_2003_02",
      "model_calls_2003_03",
      "model_calls_2088_12",
    ]);
  });

  it("makes a partition again that was dropped behind its back", async () => {
    const callTime = new Date("2004-05-05T00:00:00Z");
    await callWriter.record([modelCall({ callTime })]);
    await database.orm.em.fork().execute("drop table model_calls_2004_05");
    expect(await callWriter.record([modelCall({ callTime })])).toEqual(["added"]);
  });

  it("neither deadlocks nor loses a call when writers send overlapping batches in opposite order", async () => {
    const other = await openDatabase({ url: database.url });
    try {
      const recorders = [callWriter, createCallWriter(other)];
      const calls = Array.from({ length: 200 }, (_, i) =>
        modelCall({ id: `call-${i}`, callTime: new Date(Date.UTC(2007, i % 12, 1)) }),
      );
      const versions = Array.from({ length: 12 }, (_, version) =>
        calls.map((call) => ({ ...call, totalUsage: version })).toSorted(() => (version % 2 === 0 ? 1 : -1)),
      );
      const outcomes = (
        await Promise.all(versions.map((batch, i) => recorders[i % 2]!.record(batch)))
      ).flat();
      expect(outcomes.filter((outcome) => outcome === "added")).toHaveLength(200);
      expect(await rows()).toHaveLength(200);
      expect(new Set((await rows()).map((row) => row["revision"]))).toEqual(new Set([11]));
    } finally {
      await other.close();
    }
  });

  it("says that the database is unavailable, and writes nothing, when it gives up", async () => {
    const hurried = await openDatabase({ url: database.url, statementTimeoutMs: 100 });
    const blocker = database.orm.em.fork();
    try {
      await callWriter.record([modelCall()]);
      await blocker.begin();
      await blocker.execute("select * from model_calls for update");
      await expect(
        createCallWriter(hurried).record([modelCall({ id: "call-0" }), modelCall({ status: "failed" })]),
      ).rejects.toMatchObject({ code: "unavailable" });
      await blocker.rollback();
      expect(await rows()).toMatchObject([{ id: "call-1", status: "success" }]);
    } finally {
      await hurried.close();
    }
  });
});
