import { type RestUsageStats } from "@usage-stats/api";
import { createCallWriter } from "@usage-stats/db";
import { parse } from "csv-parse/sync";
import { afterAll, beforeAll, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750895999&timezone=Asia/Kolkata";
const ALICE = "did:abt:z1alice";
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
  await createCallWriter(server.database.orm).record(
    Array.from({ length: 40 }, (_, i) =>
      modelCall({
        id: `${i}`,
        type: i % 3 === 0 ? "video" : "chatCompletion",
        status: i % 7 === 0 ? "failed" : "success",
        callTime: new Date(Date.parse("2025-06-20T17:00:00Z") + i * 7_200_000),
        credits: `0.${i + 1}`,
      }),
    ),
  );
});
afterAll(() => server.close());

async function get(accept: string, path = STATS, role: "user" | "admin" = "user") {
  const { headers } = await server.signed({ user: ALICE, role });
  return server.request(path, { headers: { ...headers, accept } });
}

it.each([STATS, STATS.replace("user/usage-stats", "user/admin/user-stats")])(
  "%s has a row for each day and type, which add up to what the JSON says",
  async (path) => {
    const rows = parse<Record<string, string>>(await (await get("text/csv", path, "admin")).text(), {
      columns: true,
    });
    const json = (await (await get("application/json", path, "admin")).json()) as RestUsageStats;
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0);
    expect([sum("calls"), sum("totalUsage")]).toEqual([json.summary.totalCalls, json.summary.totalUsage]);
    expect(sum("calls")).toBe(40);
    expect(sum("credits")).toBeCloseTo(json.summary.totalCredits, 6);
    for (const { date, byType } of json.dailyStats)
      expect(
        Object.fromEntries(
          rows.filter((row) => row["date"] === date).map((row) => [row["type"], Number(row["calls"])]),
        ),
      ).toEqual(
        Object.fromEntries(Object.entries(byType).map(([type, { totalCalls }]) => [type, totalCalls])),
      );
    expect(rows.every(({ credits }) => /^\d+\.\d{8}$/.test(credits!))).toBe(true);
  },
);

it.each([
  ["text/csv", "text/csv; charset=utf-8"],
  ["text/csv;q=0.9, application/json;q=0.1", "text/csv; charset=utf-8"],
  ["application/json, text/csv;q=0.5", "application/json"],
  ["*/*", "application/json"],
  ["text/html, application/xhtml+xml, */*;q=0.8", "application/json"],
  ["", "application/json"],
])("for Accept: %s the answer is %s", async (accept, type) => {
  expect((await get(accept)).headers.get("content-type")).toBe(type);
});

it("begins with a byte order mark where one is asked for, which JSON never does", async () => {
  const bytes = async (path: string) => Buffer.from(await (await get("text/csv", path)).arrayBuffer());
  const plain = await bytes(STATS);
  expect(await bytes(`${STATS}&bom=true`)).toEqual(Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), plain]));
  const json = await get("application/json", `${STATS}&bom=true`);
  expect([json.status, await json.json()]).toMatchObject([400, { code: "unknown_field", field: "bom" }]);
});

it("is refused in problem details, whatever was accepted", async () => {
  const response = await get("text/csv", STATS.replace("Asia/Kolkata", "Mars/Base"));
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  expect(await response.json()).toMatchObject({ code: "invalid_timezone" });
});
