import { ANY_ORIGIN } from "@usage-stats/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import {
  createCallReader,
  createCallWriter,
  createRankingRepository,
  migrate,
  rollUp,
} from "../src/index.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";
import { modelCall } from "./model-calls.ts";

const range = { from: new Date("2025-06-01T00:00:00Z"), to: new Date("2025-07-01T00:00:00Z") };

describe.each(["empty", "C locale"] as const)("in a database that is %s", (from) => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase({ from });
    await migrate(database.orm, range.from);
    await createCallWriter(database.orm).record([
      modelCall({ id: "1", model: "Яндекс-GPT", userDid: "Ärger", appDid: "ÉTOILE" }),
      modelCall({ id: "2", model: "gpt", userDid: "other", appDid: "app", errorReason: "LIMITE DÉPASSÉE" }),
    ]);
    await rollUp(database.orm);
  });
  afterAll(() => database.close());

  it.each([
    ["model", "яндекс"],
    ["model", "ЯНДЕКС-g"],
    ["user", "äRG"],
    ["app", "étoile"],
  ] as const)("ranks by %s whoever has %s in the name, in whatever case", async (by, search) => {
    const { items, matched } = await createRankingRepository(database.orm).readRanking({
      range,
      settled: true,
      by,
      filter: {},
      orderBy: "calls",
      direction: "desc",
      search,
      limit: 50,
      after: null,
    });
    expect(items).toHaveLength(1);
    expect(matched.count).toBe(1);
  });

  it.each([
    ["яНдекс", "1"],
    ["dépassée", "2"],
  ])("lists the calls that have %s in a text", async (search, id) => {
    const calls = await createCallReader(database.orm).readCalls({
      userDid: null,
      range,
      filter: {},
      origin: ANY_ORIGIN,
      search,
      minDurationMs: null,
      withVoided: true,
      limit: 10,
      after: null,
    });
    expect(calls.map((call) => call.id)).toEqual([id]);
  });
});

it("searches as the database's locale does where no collation knows more, and says so once", async () => {
  const database = await createTestDatabase();
  const emit = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  try {
    await createCallWriter(database.orm).record([modelCall({ model: "GPT" })]);
    await database.orm.em
      .fork()
      .execute(
        "delete from pg_collation where collname in ('pg_unicode_fast', 'pg_c_utf8', 'und-x-icu', 'C.utf8')",
      );
    const reader = createCallReader(database.orm);
    const query = {
      userDid: null,
      range,
      filter: {},
      origin: ANY_ORIGIN,
      minDurationMs: null,
      withVoided: true,
      limit: 10,
      after: null,
    };
    expect(await reader.readCalls({ ...query, search: "gpt" })).toHaveLength(1);
    expect(await reader.readCalls({ ...query, search: "gPT" })).toHaveLength(1);
    expect(emit).toHaveBeenCalledTimes(1);
    expect(String(emit.mock.calls[0]![0])).toMatch(/none of the collations/);
  } finally {
    emit.mockRestore();
    await database.close();
  }
});
