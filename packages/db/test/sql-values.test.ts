import { type UsageFilter } from "@usage-stats/core";
import sql, { Sql } from "sql-template-tag";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sessionOf } from "../src/connection/session.ts";
import { andMatches } from "../src/reading/filter-sql.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** What JSON of a client's can look like: a statement of the library, but not made by it. */
const { strings, values } = sql`select ${1}`;
const SHAPED = { strings, values, sql: "1", text: "1", params: [] };

it("never takes a value that is shaped like a statement for one", async () => {
  const statement = sql`select ${SHAPED}::jsonb as value`;
  expect(statement.text).toBe("select $1::jsonb as value");
  const [row] = await sessionOf(database.orm.em.fork()).execute(statement);
  expect(row).toEqual({ value: SHAPED });
});

it("takes no value of a filter for a statement", () => {
  const filter = { models: [SHAPED, "$1", "?"] } as unknown as UsageFilter;
  const matches = andMatches(filter);
  expect(matches).toBeInstanceOf(Sql);
  expect(matches.text).toBe(" and model = any($1::text[])");
  expect(matches.values).toEqual([[SHAPED, "$1", "?"]]);
});

it("sends arrays as they are: quotes, nothing at all, numbers and instants", async () => {
  const texts = ["a,b", '"', "\\", "{}", "NULL", "", null];
  const numbers = [0, -1, Number.MAX_SAFE_INTEGER, null];
  const times = ["2025-06-15T12:34:56.789Z", null];
  const [row] = await sessionOf(database.orm.em.fork()).execute(
    sql`select to_jsonb(${texts}::text[]) as texts, to_jsonb(${numbers}::bigint[]) as numbers,
               to_jsonb(${["0.00000001", "99999999999999999999", null]}::numeric[])::text as decimals,
               array(select extract(epoch from t)::text from unnest(${times}::timestamptz[]) as t) as times,
               cardinality(${[]}::text[]) as none`,
  );
  expect(row).toEqual({
    texts,
    numbers,
    decimals: "[0.00000001, 99999999999999999999, null]",
    times: ["1749990896.789000", null],
    none: 0,
  });
});
