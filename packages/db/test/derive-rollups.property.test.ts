import fc from "fast-check";
import sql, { raw } from "sql-template-tag";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SqlSession, sessionOf } from "../src/connection/session.ts";
import { STORED, STORED_COLUMNS } from "../src/layout/stored-measures.ts";
import { DENSE_FROM, EVERYONE_DENSE_FROM } from "../src/layout/time-types.ts";
import { checkRollups } from "../src/rolling/repair-rollups.ts";
import { COLUMNS, deriveRollups } from "../src/rolling/derive-rollups.ts";
import { createTestDatabase, type TestDatabase } from "../src/testing/index.ts";

// Combos by id: their model, the model's type, and the combo without its key, which is the combo itself where it has none.
const COMBOS = [
  { id: 1, model: 1, type: 1, keyless: null },
  { id: 2, model: 1, type: 1, keyless: 1 },
  { id: 3, model: 1, type: 1, keyless: 1 },
  { id: 4, model: 2, type: 1, keyless: null },
  { id: 5, model: 3, type: 4, keyless: null },
  { id: 6, model: 3, type: 4, keyless: 5 },
];
const SLICE = 0;

type Fine = { user: number; quarter: number; combo: number; sums: bigint[] };
type Row = { key: string; sums: string };

let database: TestDatabase;
let session: SqlSession;
beforeAll(async () => {
  database = await createTestDatabase();
  session = sessionOf(database.orm.em.fork());
  await session.execute(
    sql`insert into model_call_users (id, did) values (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'), (5, 'e'), (6, 'f'), (7, 'g'), (8, 'h')`,
  );
  await session.execute(
    sql`insert into model_call_models (id, type, provider_id, model) values (1, 1, 'p', 'm'), (2, 1, 'p', 'n'), (3, 4, 'p', 'm')`,
  );
  for (const { id, model, keyless } of COMBOS)
    await session.execute(
      sql`insert into model_call_combos (id, model_id, status, key_id, keyless_id) values (${id}, ${model}, ${`s${keyless ?? id}`}, ${keyless === null ? null : `k${id}`}, ${keyless})`,
    );
});
afterAll(() => database.close());

// Around the beginning of 1970, which began on a Thursday, so that weeks, days and hours are of negative numbers, too.
const WEEK = 672;
const FIRST = 384 - 2 * WEEK;
const WEEKS = { from: FIRST, to: FIRST + 4 * WEEK };

/** Crowds of rows of a user, a day or a week long, which are dense or not. */
const fineRows = fc
  .array(
    fc.record({
      user: fc.integer({ min: 1, max: 3 }),
      start: fc.integer({ min: WEEKS.from, max: WEEKS.to - 1 }),
      spread: fc.constantFrom(4, 30, 96, 300),
      rows: fc.array(
        fc.record({
          at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
          combo: fc.integer({ min: 1, max: COMBOS.length }),
          sums: fc.array(fc.bigInt({ min: 0n, max: 9n }), {
            minLength: STORED.length,
            maxLength: STORED.length,
          }),
        }),
        { minLength: 1, maxLength: DENSE_FROM * 2 },
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((crowds) => {
    const rows = new Map<string, Fine>();
    for (const { user, start, spread, rows: crowd } of crowds)
      for (const { at, combo, sums } of crowd) {
        const quarter = Math.min(start + Math.floor(at * spread), WEEKS.to - 1);
        const [calls = 0n, ...rest] = sums;
        rows.set(`${user} ${quarter} ${combo}`, { user, quarter, combo, sums: [calls + 1n, ...rest] });
      }
    return [...rows.values()];
  });

const floorTo = (width: number, quarter: number) => Math.floor(quarter / width) * width;
const dayOf = (quarter: number) => floorTo(96, quarter);
// Monday, as a calendar knows it.
const weekOf = (quarter: number) => {
  const date = new Date(quarter * 900_000);
  const monday = date.getUTCDate() - ((date.getUTCDay() + 6) % 7);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), monday) / 900_000;
};

/** Every row that there should be of fine rows, one by one. */
function bruteForce(fine: Fine[]): Row[] {
  const rows = new Map<string, bigint[]>();
  const add = (key: unknown[], sums: bigint[]) => {
    const known = rows.get(key.join(" "));
    rows.set(key.join(" "), known === undefined ? sums : known.map((sum, i) => sum + sums[i]!));
  };
  const everyone = fine.map(({ combo, ...rest }) => ({
    ...rest,
    user: 0,
    combo: COMBOS[combo - 1]!.keyless ?? combo,
  }));
  const counts = new Map<string, number>();
  for (const { user, quarter } of [...fine, ...everyone])
    for (const key of [`${user} day ${dayOf(quarter)}`, `${user} week ${weekOf(quarter)}`])
      counts.set(key, (counts.get(key) ?? 0) + 1);
  for (const { user, quarter, combo, sums } of [...fine, ...everyone]) {
    const { model, type } = COMBOS[combo - 1]!;
    const inDay = counts.get(`${user} day ${dayOf(quarter)}`)!;
    const inWeek = counts.get(`${user} week ${weekOf(quarter)}`)!;
    const tag = user === 0 || inDay >= DENSE_FROM ? 2 : inWeek >= DENSE_FROM ? 1 : 0;
    const day = dayOf(quarter);
    const week = weekOf(quarter);
    if (user !== 0 || inDay >= EVERYONE_DENSE_FROM)
      add([user, tag, SLICE, quarter, combo, type, model], sums);
    add([user, 6, SLICE, week, type, type, "-"], sums);
    if (tag >= 1) {
      add([user, 8, SLICE, week, model, type, model], sums);
      add([user, 10, SLICE, week, combo, type, model], sums);
    }
    if (tag === 2) {
      add([user, 4, SLICE, floorTo(4, quarter), type, type, "-"], sums);
      add([user, 5, SLICE, day, type, type, "-"], sums);
      add([user, 7, SLICE, day, model, type, model], sums);
      add([user, 9, SLICE, day, combo, type, model], sums);
    }
  }
  return inOrder(
    [...rows].map(([key, sums]) => ({ key, sums: sums.map((sum) => (sum === 0n ? "-" : sum)).join(" ") })),
  );
}

const inOrder = (rows: Row[]) => rows.toSorted((one, other) => (one.key < other.key ? -1 : 1));

async function rowsThere(): Promise<Row[]> {
  const text = (columns: string[]) =>
    columns.map((column) => `coalesce(${column}::numeric::text, '-')`).join(" || ' ' || ");
  const key = ["user_id", "time_type", "slice", "timestamp", "item", "type", "model_id"];
  return inOrder(
    await session.execute<Row>(
      sql`select ${raw(text(key))} as key, ${raw(text(STORED_COLUMNS))} as sums from model_call_stats`,
    ),
  );
}

/** Puts fine rows there, whatever their `time_type`. */
async function insert(fine: Fine[], timeType: (i: number) => number): Promise<void> {
  const values = fine.map(({ user, quarter, combo, sums }, i) => {
    const { model, type } = COMBOS[combo - 1]!;
    const measures = sums.map((sum) => (sum === 0n ? "null" : sum)).join(", ");
    return `(${user}, ${timeType(i)}, ${SLICE}, ${quarter}, ${combo}, ${type}, ${model}, ${measures})`;
  });
  await session.execute(sql`insert into model_call_stats (${raw(COLUMNS)}) values ${raw(values.join(", "))}`);
}

describe("what is derived of fine rows", () => {
  const anyTags = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 9 });

  it("is what adding them up one by one gives, whatever was there", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fineRows, fineRows, anyTags, fc.nat(), async (fine, before, tags, damaged) => {
        await session.execute(sql`delete from model_call_stats`);
        await insert(before, () => 0);
        await deriveRollups(session, SLICE, WEEKS);
        await session.execute(
          sql`delete from model_call_stats where user_id <> 0 and time_type in (0, 1, 2)`,
        );
        await insert(fine, (i) => tags[i % tags.length]!);
        await deriveRollups(session, SLICE, WEEKS);
        const right = bruteForce(fine);
        expect(await rowsThere()).toEqual(right);
        expect(await checkRollups(session, { weeks: WEEKS })).toEqual([]);
        await session.execute(sql`
          update model_call_stats set calls = calls + 1
           where ctid = (select ctid from model_call_stats order by user_id, time_type, timestamp, item offset ${damaged % right.length} limit 1)`);
        expect(await checkRollups(session, { weeks: WEEKS })).not.toEqual([]);
      }),
      { numRuns: Number(process.env["LONG"] ?? 60) },
    );
  });

  it(
    "can be made anew of one user, with all users together, and nobody else",
    { timeout: 120_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fineRows, anyTags, async (fine, tags) => {
          await session.execute(sql`delete from model_call_stats`);
          await insert(fine, () => 0);
          await deriveRollups(session, SLICE, WEEKS);
          const right = await rowsThere();
          const [{ user }] = fine as [Fine, ...Fine[]];
          await session.execute(
            sql`update model_call_stats set calls = calls + 7 where time_type > 2 and user_id = ${user}`,
          );
          await session.execute(
            sql`delete from model_call_stats where user_id in (0, ${user}) and timestamp % 3 = ${tags[0]!}`,
          );
          const mine = (await session.execute<{ timestamp: number; item: number }>(
            sql`delete from model_call_stats where user_id = ${user} and time_type in (0, 1, 2) returning timestamp, item`,
          )) as { timestamp: number; item: number }[];
          expect(mine.length).toBeLessThanOrEqual(fine.length);
          await insert(
            fine.filter((row) => row.user === user),
            (i) => tags[i % tags.length]!,
          );
          await session.execute(
            sql`update model_call_stats set calls = calls + 1000 where time_type = 6 and user_id not in (0, ${user})`,
          );
          await deriveRollups(session, SLICE, WEEKS, user);
          await session.execute(
            sql`update model_call_stats set calls = calls - 1000 where time_type = 6 and user_id not in (0, ${user})`,
          );
          expect(await rowsThere()).toEqual(right);
        }),
        { numRuns: Number(process.env["LONG"] ?? 40) },
      );
    },
  );

  it("has fine rows of all users together on days on which users have thousands", async () => {
    const day = (start: number, users: number) =>
      Array.from({ length: users * 96 * COMBOS.length }, (_, i) => ({
        user: 1 + Math.floor(i / (96 * COMBOS.length)),
        quarter: start + (i % 96),
        combo: 1 + (Math.floor(i / 96) % COMBOS.length),
        sums: STORED.map((__, measure) => BigInt((i * (measure + 1)) % 5) + (measure === 0 ? 1n : 0n)),
      }));
    const fine = [...day(WEEKS.from, 8), ...day(WEEKS.from + 96, 7), ...day(WEEKS.from + 960, 1)];
    await session.execute(sql`delete from model_call_stats`);
    await insert(fine, () => 1);
    await deriveRollups(session, SLICE, WEEKS);
    const right = bruteForce(fine);
    expect(right.filter(({ key }) => key.startsWith("0 2 ")).length).toBe(96 * 3);
    expect(await rowsThere()).toEqual(right);
    expect((await checkRollups(session, { weeks: WEEKS })).length).toBe(0);
    await deriveRollups(session, SLICE, WEEKS, 4);
    expect(await rowsThere()).toEqual(right);
  });
});
