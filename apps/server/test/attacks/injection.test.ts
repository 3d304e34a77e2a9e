import { createCallWriter } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "../model-calls.ts";
import { createTestServer, type TestServer } from "../test-server.ts";
import { contentsOf, expectRefusal } from "./database-contents.ts";

const ALICE = "did:abt:z1alice";
const STATS = { startTime: "1750377600", endTime: "1750463999" };
const INPUT = { from: "2025-06-20T00:00:00Z", to: "2025-06-21T00:00:00Z" };

const SQL = [
  "'",
  '"',
  "';--",
  "'; drop table model_calls; --",
  "' or '1'='1",
  "') or true --",
  "1; select pg_sleep(10)",
  "' union select null, version() --",
  "$1",
  "$$; drop table model_calls; $$",
  "?",
  ":user",
  "\\'; drop table model_calls; --",
  "%27%20or%201=1",
  "{a,b}",
  '"},{"',
  "/*",
  "(select 1)",
  "constructor",
  "__proto__",
  "\u02bc or 1=1",
];

let server: TestServer;
let before: string;

beforeAll(async () => {
  server = await createTestServer();
  await createCallWriter(server.database.orm).record([modelCall()]);
  before = await contentsOf(server);
});
afterAll(() => server.close());

/** Whatever is answered: it is no failure of ours, and gives nobody else's calls. */
async function expectHarmless(response: Response, sent: string): Promise<void> {
  if (response.status === 200) return expect(await response.text()).not.toMatch(/PostgreSQL|pg_catalog/);
  await expectRefusal(response, [400, 403], sent);
}

describe.each(SQL)("the text %j", (text) => {
  it.each(["timezone", "timezoneOffset", "userDid", "startTime", "endTime", "noCache", text])(
    "is harmless in the query, as %s",
    async (name) => {
      const query = new URLSearchParams({ ...STATS, [name]: text });
      for (const role of ["user", "admin"] as const)
        await expectHarmless(
          await server.get(`/app/api/user/usage-stats?${query}`, { user: ALICE, role }),
          text,
        );
    },
  );

  it("is harmless in every field of a tRPC question, and matches nothing that it is not", async () => {
    const fields: Record<string, unknown>[] = [
      { userDid: text },
      { timezone: text },
      { bucket: text },
      { groupBy: [text] },
      { filter: { appDids: [text] } },
      { filter: { providerIds: [text] } },
      { filter: { models: [text] } },
      { filter: { types: [text] } },
      { filter: { status: [text] } },
      { filter: { [text]: ["x"] } },
      { compare: text },
      { cursor: text, limit: 1 },
      { limit: text },
      { topN: text },
      { from: text },
      { [text]: text },
    ];
    for (const field of fields) {
      const input = encodeURIComponent(JSON.stringify({ ...INPUT, ...field }));
      const response = await server.get(`/trpc/usageStats?input=${input}`, { user: ALICE, role: "admin" });
      if (response.status === 200) expect(await response.text()).toContain('"calls":0');
      else await expectRefusal(response, [400], text);
    }
  });
});

it("none of them did anything", async () => {
  expect(await contentsOf(server)).toBe(before);
  expect(server.errors).toEqual([]);
});
