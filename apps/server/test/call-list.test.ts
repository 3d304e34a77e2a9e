import { usageStatsErrorOf } from "@usage-stats/client";
import { type ModelCall } from "@usage-stats/core";
import { createCallWriter } from "@usage-stats/db";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const QUERY = "startTime=1750377600&endTime=1750463999";
const at = (minutes: number) => new Date(RANGE.from.getTime() + minutes * 60_000);

let server: TestServer;
const callWriter = () => createCallWriter(server.database.orm);
const alice = () => server.client({ user: ALICE }).modelCalls;
const ids = (items: { id: string }[]) => items.map(({ id }) => id);

beforeAll(async () => {
  server = await createTestServer();
});
afterEach(async () => {
  await server.database.orm.em.fork().execute("delete from model_calls");
});
afterAll(() => server.close());

describe("a list of calls", () => {
  it("has one's own, newest first, with everything that is known of them", async () => {
    const full = modelCall({
      id: "full",
      durationMs: 1500,
      metadata: { a: [1] },
      traceId: "t",
      errorReason: "e",
    });
    await callWriter().record([
      full,
      modelCall({ id: "later", callTime: at(700) }),
      modelCall({ userDid: BOB }),
    ]);
    const { items, nextCursor } = await alice().list(RANGE);
    expect(nextCursor).toBeNull();
    expect(items[1]).toEqual({ ...full, credits: "0.10000000", voidedAt: null });
    expect(ids(items)).toEqual(["later", "full"]);
  });

  it("shows what was voided, and since when", async () => {
    const call = modelCall({ id: "gone" });
    await callWriter().record([
      call,
      { userDid: call.userDid, id: "gone", callTime: call.callTime, void: true },
    ]);
    const [item] = (await alice().list(RANGE)).items;
    expect(item).toMatchObject({ id: "gone", voidedAt: expect.any(Date) as Date });
  });

  it.each([
    [{ filter: { models: ["o3"] } }, ["c"]],
    [{ filter: { providerIds: ["azure"] } }, ["b"]],
    [{ filter: { appDids: ["app"] } }, ["b"]],
    [{ filter: { types: ["video" as const] } }, ["a"]],
    [{ filter: { status: ["failed" as const, "processing" as const] } }, ["c"]],
    [{ minDurationMs: 2000 }, ["c", "b"]],
    [{ minDurationMs: 2001 }, ["c"]],
    [{ search: "REQ-7" }, ["b"]],
    [{ search: "timed out" }, ["c"]],
    [{ search: "%" }, []],
    [{ search: "_" }, []],
    [{ to: at(2) }, ["b", "a"]],
    [{ from: at(1) }, ["c", "b"]],
    [{}, ["c", "b", "a"]],
  ])("matches %j", async (query, expected) => {
    await callWriter().record([
      modelCall({ id: "a", callTime: at(0), type: "video" }),
      modelCall({
        id: "b",
        callTime: at(1),
        providerId: "azure",
        appDid: "app",
        durationMs: 2000,
        requestId: "req-77",
      }),
      modelCall({
        id: "c",
        callTime: at(2),
        model: "o3",
        status: "failed",
        durationMs: 9000,
        errorReason: "It Timed Out.",
      }),
    ]);
    expect(ids((await alice().list({ ...RANGE, ...query })).items)).toEqual(expected);
  });

  it.each([
    [{ keyId: "k1" }, "keyId=k1", ["b", "a"]],
    [{ runId: "r1" }, "runId=r1", ["a"]],
    [{ conversationId: "c1" }, "conversationId=c1", ["c", "a"]],
    [{ tags: { team: "x" } }, "tag=team:x", ["b", "a"]],
    [{ tags: { team: "x", project: "p" } }, "tag=team:x&tag=project:p", ["b"]],
    [{ tags: { team: "y" } }, "tag=team:y", []],
    [{ keyId: "k1", conversationId: "c1" }, "keyId=k1&conversationId=c1", ["a"]],
    [{ runId: "r" }, "runId=r", []],
  ])("is of %j, over REST and as CSV too", async (query, parameters, expected) => {
    await callWriter().record([
      modelCall({
        id: "a",
        callTime: at(0),
        keyId: "k1",
        runId: "r1",
        conversationId: "c1",
        tags: { team: "x" },
      }),
      modelCall({ id: "b", callTime: at(1), keyId: "k1", runId: "r2", tags: { project: "p", team: "x" } }),
      modelCall({ id: "c", callTime: at(2), keyId: "k2", conversationId: "c1" }),
      modelCall({ id: "d", callTime: at(2), keyId: "k1", userDid: BOB, tags: { team: "x" }, runId: "r1" }),
    ]);
    expect(ids((await alice().list({ ...RANGE, ...query })).items)).toEqual(expected);
    const path = "/app/api/user/model-calls";
    const listed = await server.get(`${path}?${QUERY}&${parameters}`, { user: ALICE });
    expect(ids(((await listed.json()) as { items: { id: string }[] }).items)).toEqual(expected);
    const exported = await server.get(`${path}/export?${QUERY}&${parameters}`, { user: ALICE });
    expect(ids(parse(await exported.text(), { columns: true }))).toEqual(expected);
  });

  it("does not go on with a cursor of another origin", async () => {
    const calls = [0, 1, 2].map((n) =>
      modelCall({ id: `${n}`, callTime: at(n), tags: { team: "x", project: "p" } }),
    );
    await callWriter().record(calls);
    const tags = { team: "x", project: "p" };
    const { nextCursor } = await alice().list({ ...RANGE, limit: 1, tags });
    const cursor = nextCursor!;
    expect(ids((await alice().list({ ...RANGE, cursor, tags: { project: "p", team: "x" } })).items)).toEqual([
      "1",
      "0",
    ]);
    for (const other of [{}, { tags: { team: "x" } }, { tags, runId: "r" }, { tags, keyId: "k" }])
      await expect(alice().list({ ...RANGE, ...other, cursor })).rejects.toThrow(/cursor/);
  });

  it("gives every call once, page by page, whatever is written meanwhile", async () => {
    const call = fc.record({
      minute: fc.integer({ min: 0, max: 20 }),
      id: fc.integer({ min: 0, max: 400 }).map(String),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(call, {
          minLength: 1,
          maxLength: 40,
          selector: ({ minute, id }) => `${minute} ${id}`,
        }),
        fc.array(call, { maxLength: 10 }),
        fc.integer({ min: 1, max: 7 }),
        async (calls, later, limit) => {
          await server.database.orm.em.fork().execute("delete from model_calls");
          const made = (list: typeof calls) =>
            list.map(({ minute, id }) => modelCall({ id, callTime: at(minute) }));
          await callWriter().record(made(calls));
          const seen: string[] = [];
          let cursor: string | null = null;
          do {
            const page: Awaited<ReturnType<ReturnType<typeof alice>["list"]>> = await alice().list({
              ...RANGE,
              limit,
              ...(cursor !== null && { cursor }),
            });
            seen.push(...page.items.map((item) => `${item.callTime.getTime()} ${item.id}`));
            cursor = page.nextCursor;
            const next = later.pop();
            if (next !== undefined) await callWriter().record(made([next]));
          } while (cursor !== null);
          expect(new Set(seen).size).toBe(seen.length);
          const expected = made(calls).map((one) => `${one.callTime.getTime()} ${one.id}`);
          expect(expected.filter((one) => !seen.includes(one))).toEqual([]);
          const times = seen.map((one) => Number(one.split(" ")[0]));
          expect(times).toEqual(times.toSorted((a, b) => b - a));
        },
      ),
      { numRuns: 25 },
    );
  });

  it("is read to its end by the client, a page at a time", async () => {
    await callWriter().record(
      Array.from({ length: 25 }, (_, i) => modelCall({ id: `${i}`, callTime: at(i) })),
    );
    const all = [];
    for await (const item of alice().listAll({ ...RANGE, limit: 10 })) all.push(item.id);
    expect(all).toEqual(Array.from({ length: 25 }, (_, i) => `${24 - i}`));
  });

  it("is nobody else's, and of no other app for who may see one only", async () => {
    await callWriter().record([
      modelCall({ userDid: BOB, id: "1", appDid: "app" }),
      modelCall({ userDid: BOB, id: "2" }),
    ]);
    expect(
      await alice()
        .list({ ...RANGE, userDid: BOB })
        .catch(usageStatsErrorOf),
    ).toMatchObject({ code: "forbidden" });
    const root = server.client({ user: "did:abt:z1root", role: "admin" });
    expect(ids((await root.modelCalls.list({ ...RANGE, userDid: BOB })).items)).toEqual(["2", "1"]);
    const { token } = await root.viewerTokens.create({ userDid: BOB, appDids: ["app"] });
    expect(ids((await server.clientWith(token).modelCalls.list(RANGE)).items)).toEqual(["1"]);
  });

  it("refuses a cursor that it did not give out for this question", async () => {
    await callWriter().record([1, 2, 3].map((n) => modelCall({ id: `${n}`, callTime: at(n) })));
    const { nextCursor } = await alice().list({ ...RANGE, limit: 1 });
    const cursor = nextCursor!;
    const bob = server.client({ user: BOB }).modelCalls;
    for (const asked of [
      alice().list({ ...RANGE, cursor: `${cursor}=` }),
      alice().list({ ...RANGE, cursor, search: "x" }),
      alice().list({ ...RANGE, cursor, filter: { models: ["o3"] } }),
      alice().list({ ...RANGE, cursor: "e30" }),
      bob.list({ ...RANGE, cursor }),
    ])
      expect(await asked.catch(usageStatsErrorOf)).toMatchObject({ code: "invalid_cursor", httpStatus: 400 });
    expect(ids((await alice().list({ ...RANGE, cursor, limit: 2 })).items)).toEqual(["2", "1"]);
  });

  it("of a question as long as a URL may be has a next page, which nobody else's question has", async () => {
    const long = (i: number) => `did:abt:z1an-app-with-rather-a-long-name-${i}`;
    const calls = Array.from({ length: 90 }, (_, i) =>
      modelCall({ id: `${i}`, appDid: long(i), callTime: at(i) }),
    );
    await callWriter().record(calls);
    const query = `${QUERY}&limit=50&${calls.map(({ appDid }) => `appDid=${appDid}`).join("&")}`;
    const get = async (more: string, as = ALICE) => {
      const response = await server.get(`/app/api/user/model-calls?${query}${more}`, { user: as });
      return {
        status: response.status,
        ...((await response.json()) as { items: object[]; nextCursor: string }),
      };
    };
    const first = await get("");
    expect(first.nextCursor.length).toBeLessThan(200);
    expect(await get(`&cursor=${first.nextCursor}`)).toMatchObject({ status: 200, nextCursor: null });
    expect(await get(`&cursor=${first.nextCursor}`, BOB)).toMatchObject({
      status: 400,
      code: "invalid_cursor",
    });
    const filter = { appDids: calls.map(({ appDid }) => appDid!) };
    const listed = [];
    for await (const { id } of alice().listAll({ ...RANGE, filter, limit: 40 })) listed.push(id);
    expect(listed).toHaveLength(90);
  });

  it("refuses a cursor of the version before", async () => {
    await callWriter().record([1, 2].map((n) => modelCall({ id: `${n}`, callTime: at(n) })));
    const nothing = [null, null, null, null, null];
    const fields = [
      1,
      ALICE,
      RANGE.from.getTime(),
      RANGE.to.getTime(),
      nothing,
      null,
      null,
      true,
      at(2).getTime(),
      "2",
      ALICE,
    ];
    const cursor = Buffer.from(JSON.stringify(fields)).toString("base64url");
    expect(
      await alice()
        .list({ ...RANGE, cursor })
        .catch(usageStatsErrorOf),
    ).toMatchObject({
      code: "invalid_cursor",
      httpStatus: 400,
    });
  });

  it("over HTTP takes the parameters of existing front ends", async () => {
    await callWriter().record([
      modelCall({ id: "slow", durationMs: 2500 }),
      modelCall({ id: "quick", durationMs: 100, model: "o3" }),
    ]);
    const get = (query: string) => server.get(`/app/api/user/model-calls?${QUERY}&${query}`, { user: ALICE });
    const slow = (await (
      await get("minDurationSeconds=2.5&model=gpt-4o&model=o3&status=success")
    ).json()) as object;
    expect(slow).toMatchObject({
      items: [{ id: "slow", callTime: "2025-06-20T10:00:00.000Z", credits: "0.10000000" }],
      nextCursor: null,
    });
    for (const [query, code] of [
      ["page=2", "unknown_field"],
      ["limit=201", "invalid_option"],
      ["limit=x", "invalid_option"],
      ["minDurationSeconds=-1", "invalid_option"],
      ["status=done", "invalid_option"],
      ["search=a&search=b", "invalid_option"],
      ["timezone=UTC", "unknown_field"],
    ]) {
      const response = await get(query!);
      expect([response.status, await response.json()]).toMatchObject([400, { code }]);
    }
  });
});

describe("an export", () => {
  const get = (query = "", as = { user: ALICE }) =>
    server.get(`/app/api/user/model-calls/export?${QUERY}${query}`, as);
  const rows = async (response: Response) =>
    parse<Record<keyof ModelCall, string>>(await response.text(), { columns: true });

  it("is CSV of all columns and every call, in the asked zone, that no spreadsheet runs", async () => {
    await callWriter().record([
      modelCall({
        id: "1",
        model: '=HYPERLINK("https://evil.example")',
        errorReason: 'a "quoted",\r\nbroken line',
        requestId: "'-1",
        metadata: { note: "x,y" },
      }),
      modelCall({ id: "2", callTime: at(1), inputTokens: null, credits: "12.00000001" }),
    ]);
    const response = await get("&timezone=Asia/Kolkata");
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(response.headers.get("content-disposition")).toContain("model-calls.csv");
    const found = await rows(response);
    expect(found.map(({ id }) => id)).toEqual(["1", "2"]);
    expect(found[0]).toMatchObject({
      model: `'=HYPERLINK("https://evil.example")`,
      errorReason: 'a "quoted",\r\nbroken line',
      requestId: "''-1",
      metadata: '{"note":"x,y"}',
      callTime: "2025-06-20T15:30:00.000+05:30",
      durationMs: "",
    });
    expect(found[1]).toMatchObject({ inputTokens: "", credits: "12.00000001" });
  });

  it("has as many calls as there are, over any number of pages, but none that was voided", async () => {
    const em = server.database.orm.em.fork();
    await em.execute("select ensure_model_calls_partition('2025-06-01')");
    await em.execute(
      `insert into model_calls (user_did, id, call_time, provider_id, model, type, status, voided_at)
       select ?, i::text, ?::timestamptz + i * interval '1 second', 'p', 'm', 'custom', 'success', case when i % 10 = 0 then now() end
         from generate_series(1, 5000) i`,
      [ALICE, RANGE.from],
    );
    const found = await rows(await get());
    expect(found).toHaveLength(4_500);
    expect(new Set(found.map(({ id }) => id)).size).toBe(4_500);
  });

  it("begins with a byte order mark where one is asked for, and nowhere else", async () => {
    const model = "文心一言";
    await callWriter().record([modelCall({ id: "1", model })]);
    const bytes = async (query: string) => Buffer.from(await (await get(query)).arrayBuffer());
    const plain = await bytes("");
    expect(plain.toString("utf8", 0, 2)).toBe("id");
    expect(await bytes("&bom=false")).toEqual(plain);
    expect(await bytes("&bom=true")).toEqual(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]));
    expect(await (await get("&bom=yes")).json()).toMatchObject({ code: "invalid_option", field: "bom" });
  });

  it("of nothing is the header alone", async () => {
    expect((await (await get()).text()).split("\r\n")).toHaveLength(2);
  });

  it("is refused before anything is sent where its question is wrong", async () => {
    for (const [query, code] of [
      ["&timezone=Mars/Base", "invalid_timezone"],
      ["&limit=5", "unknown_field"],
      ["&status=done", "invalid_option"],
      ["&minDurationSeconds=x", "invalid_option"],
    ]) {
      const response = await get(query);
      expect([response.status, await response.json()]).toMatchObject([400, { code }]);
    }
    expect((await get("&userDid=did:abt:z1bob")).status).toBe(403);
    const years = "/app/api/user/model-calls/export?startTime=900000000&endTime=1750463999";
    const response = await server.get(years, { user: ALICE });
    expect([response.status, await response.json()]).toMatchObject([400, { field: "startTime" }]);
  });

  it("of equal ends is of that one second", async () => {
    await callWriter().record([
      modelCall({ id: "before", callTime: new Date(at(1).getTime() - 1) }),
      modelCall({ id: "in", callTime: new Date(at(1).getTime() + 999) }),
      modelCall({ id: "after", callTime: new Date(at(1).getTime() + 1000) }),
    ]);
    const second = at(1).getTime() / 1000;
    const path = `/app/api/user/model-calls/export?startTime=${second}&endTime=${second}`;
    expect((await rows(await server.get(path, { user: ALICE }))).map(({ id }) => id)).toEqual(["in"]);
  });

  it("that fails before its first page is an answer, not the beginning of a file", async () => {
    const locker = server.database.orm.em.fork();
    await locker.execute("alter table model_calls rename column metadata to hidden");
    try {
      expect((await get()).status).toBe(500);
    } finally {
      await locker.execute("alter table model_calls rename column hidden to metadata");
      server.errors.length = 0;
    }
  });

  it("waits for its reader, ends with them, and lets only a few run at once", async () => {
    const em = server.database.orm.em.fork();
    await em.execute("select ensure_model_calls_partition('2025-06-01')");
    await em.execute(
      `insert into model_calls (user_did, id, call_time, provider_id, model, type, status)
       select user_did, i::text, ?::timestamptz + i * interval '1 second', 'p', 'm', 'custom', 'success'
         from unnest(array[?, ?]) user_did, generate_series(1, 30000) i`,
      [RANGE.from, ALICE, BOB],
    );
    const bob = { user: BOB };
    const readers = [];
    for (const as of [ALICE, ALICE, BOB, BOB]) readers.push((await get("", { user: as })).body!.getReader());
    await Promise.all(readers.map((reader) => reader.read()));
    const third = await get();
    expect([third.status, third.headers.get("retry-after")]).toEqual([429, "5"]);
    expect(await third.json()).toMatchObject({
      code: "rate_limited",
      limit: "2 exports of one identity at once",
    });
    const fifth = await get("", { user: "did:abt:z1carol" });
    expect([fifth.status, fifth.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await fifth.json()).toMatchObject({ code: "unavailable", limit: "4 exports at once" });
    await readers[0]!.cancel();
    const again = await get();
    expect(again.status).toBe(200);
    expect(await rows(again)).toHaveLength(30_000);
    await Promise.all(readers.map((reader) => reader.cancel()));
    expect((await get("", bob)).status).toBe(200);
    expect((await get()).status).toBe(200);
  });
});
