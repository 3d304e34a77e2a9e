import { createInProcessCache } from "@usage-stats/cache";
import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "../model-calls.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { contentsOf, expectRefusal } from "./database-contents.ts";

const NOW = new Date("2025-06-22T12:00:00Z");
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";

/** Names that would be each other's somewhere: in a key, a pattern, a path, a comparison, a normalisation. */
const LOOKALIKES = [
  "did:abt:z1",
  "did:abt:z1:a",
  "did:abt",
  "did%3Aabt%3Az1",
  "did:abt:z1 ",
  " did:abt:z1",
  "DID:ABT:Z1",
  "did:abt:z1*",
  "did:abt:z?",
  "did:abt:z[1]",
  "did:abt:z_",
  "did:abt:z%",
  "did:аbt:z1",
  "did:abt:z１",
  "é",
  "e\u0301",
  "ß",
  "ss",
  "a\u202Eb",
  "a\u200Db",
  "a\r\nb",
  "a\tb",
  "a'b",
  'a"b',
  "a\\b",
  "a{b}",
  "{a,b}",
  "null",
  "NULL",
  "__proto__",
  "constructor",
  "toString",
  "0",
  "-0",
  "00",
  "[object Object]",
  "a,b",
  "a",
  "b",
];

let server: TestServer;
let before: string;

beforeAll(async () => {
  const clock = { now: () => NOW };
  const cache = createInProcessCache({ clock, ttlMs: 60_000, maxBytes: 50_000_000, onEvent: () => {} });
  server = await createTestServer({ now: () => NOW, cache });
  // The nth has n + 1 calls, so that a number tells whose it is.
  const calls = LOOKALIKES.flatMap((userDid, n) =>
    Array.from({ length: n + 1 }, (_, i) => modelCall({ userDid, id: String(i) })),
  );
  await createCallWriter(server.database.orm).record(calls);
  before = await contentsOf(server);
});
afterAll(() => server.close());

describe.each(LOOKALIKES.map((userDid, n) => [userDid, n] as const))("the user %j", (userDid, n) => {
  it("is answered with their own calls alone, computed and kept, and cannot ask for others'", async () => {
    const client = server.client({ user: userDid });
    for (let i = 0; i < 2; i++) {
      expect((await client.usageStats(RANGE)).totals.calls).toBe(n + 1);
      const rest = await server.get(STATS, { user: userDid });
      expect(await rest.json()).toMatchObject({ summary: { totalCalls: n + 1 } });
    }
    const other = LOOKALIKES[(n + 1) % LOOKALIKES.length]!;
    expect(await client.usageStats({ ...RANGE, userDid: other }).catch(usageStatsErrorOf)).toMatchObject({
      code: "forbidden",
      message: "You can only read your own usage.",
    });
    const asked = await server.get(`${STATS}&userDid=${encodeURIComponent(other)}`, { user: userDid });
    expect(await expectRefusal(asked, [403])).toBe("forbidden");
    const admin = server.client({ user: "did:abt:z1root", role: "admin" });
    expect((await admin.usageStats({ ...RANGE, userDid })).totals.calls).toBe(n + 1);
  });
});

describe("a user's name", () => {
  it.each([
    ["with a NUL", "a\0b"],
    ["with half a character", "a\uD800"],
    ["of ten thousand letters", "x".repeat(10_000)],
    ["of 257 letters", "x".repeat(257)],
    ["that is empty", ""],
  ])("%s is refused, to admins as well", async (_, userDid) => {
    for (const role of ["user", "admin"] as const) {
      const client = server.client({ user: "did:abt:z1root", role });
      const refusal = await client.usageStats({ ...RANGE, userDid }).catch(usageStatsErrorOf);
      expect([400, 403, 414]).toContain((refusal as { httpStatus: number } | null)?.httpStatus ?? 414);
      const path = `${STATS}&userDid=${encodeURIComponent(userDid.toWellFormed())}`;
      const rest = await server.get(path, { user: "did:abt:z1root", role });
      if (userDid.isWellFormed()) await expectRefusal(rest, [400, 403, 414]);
    }
  });

  it.each([
    ["in another header", { "x-user-did": "a", "x-forwarded-user": "a" }, ""],
    ["as userId", {}, "&userId=a"],
    ["as userDid[]", {}, "&userDid[]=a"],
    ["as userDid.$ne", {}, "&userDid.$ne=a"],
    ["twice", {}, "&userDid=a&userDid=b"],
    ["as user", {}, "&user=a"],
  ])("%s changes nothing", async (_, headers, query) => {
    const { authorization } = (await server.signed({ user: "b" })).headers;
    const response = await server.request(`${STATS}${query}`, { headers: { authorization, ...headers } });
    if (query === "")
      expect(await response.json()).toMatchObject({ summary: { totalCalls: LOOKALIKES.length } });
    else expect(["unknown_field", "invalid_option"]).toContain(await expectRefusal(response, [400]));
  });

  it("that does not exist is refused as one that does", async () => {
    const ask = async (userDid: string) => {
      const response = await server.get(`${STATS}&userDid=${userDid}`, { user: "b" });
      const { requestId, ...told } = (await response.json()) as { requestId: string };
      expect(requestId).toMatch(/^[\w-]{36}$/);
      return [response.status, told];
    };
    expect(await ask("nobody-at-all")).toEqual(await ask("a"));
  });
});

describe("a cursor", () => {
  const page = { ...RANGE, bucket: "hour" as const, limit: 5 };

  it("of another user, another question, or changed, is refused", async () => {
    const cursorOf = async (user: string) => (await server.client({ user }).usageStats(page)).nextCursor!;
    const [own, others] = [await cursorOf("b"), await cursorOf("a")];
    const client = server.client({ user: "b" });
    const bad = [
      others,
      `${own}=`,
      own.slice(1),
      own.toLowerCase(),
      Buffer.from('[1,"a",0,0,"UTC","hour",0]').toString("base64url"),
      Buffer.from("{}").toString("base64url"),
      "'; drop table model_calls; --",
      "__proto__",
      "x".repeat(2_048),
    ];
    for (const cursor of bad)
      expect(await client.usageStats({ ...page, cursor }).catch(usageStatsErrorOf)).toMatchObject({
        code: "invalid_cursor",
        field: "cursor",
      });
    const elsewhere = { ...page, timezone: "Asia/Tokyo", cursor: own };
    expect(await client.usageStats(elsewhere).catch(usageStatsErrorOf)).toMatchObject({
      code: "invalid_cursor",
    });
  });
});

it("nothing of all this changed what the database holds, or was an error of ours", async () => {
  expect(await contentsOf(server)).toBe(before);
  expect(server.errors).toEqual([]);
});
