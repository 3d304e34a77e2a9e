import { usageStatsErrorOf } from "@usage-stats/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "../test-server.ts";
import { expectRefusal } from "./database-contents.ts";

const ALICE = { user: "did:abt:z1alice" };
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
});
afterAll(async () => {
  await server.close();
});

describe("unix seconds", () => {
  it.each([
    "",
    " ",
    "NaN",
    "Infinity",
    "-Infinity",
    "-1",
    "-0",
    "0",
    "1",
    "1e3",
    "1e308",
    "1e309",
    "0x6543",
    "1750377600.5",
    "1750377600,5",
    "+1750377600",
    " 1750377600",
    "1750377600 ",
    "1750377600\n",
    "１７５０３７７６００",
    "٠١٢٣٤٥٦٧٨٩",
    "1750377600000",
    "9007199254740993",
    "9223372036854775808",
    "99999999999999999999999999999999",
    "2025-06-20",
    "null",
    "undefined",
    "[object Object]",
    "true",
    "__proto__",
  ])("of %j are refused", async (text) => {
    for (const query of [
      { startTime: text, endTime: "1750463999" },
      { startTime: "1750377600", endTime: text },
    ]) {
      const path = `/app/api/user/usage-stats?${new URLSearchParams(query)}`;
      expect(await expectRefusal(await server.get(path, ALICE), [400])).toMatch(/^invalid_(time|range)$/);
    }
  });

  it.each([
    ["backwards by a second", "1750377601", "1750377600", "invalid_range"],
    ["backwards", "1750463999", "1750377600", "invalid_range"],
    ["before 2000", "100000000", "1750377600", "invalid_time"],
    ["after 2100", "1750377600", "9999999999", "invalid_time"],
    ["of more than five years", "1000000000", "1750377600", "range_too_long"],
  ])("that are %s are refused", async (_, startTime, endTime, code) => {
    const path = `/app/api/user/usage-stats?${new URLSearchParams({ startTime, endTime })}`;
    expect(await expectRefusal(await server.get(path, ALICE), [400])).toBe(code);
  });

  it("sent twice, or not at all, are refused", async () => {
    const twice = "/app/api/user/usage-stats?startTime=1750377600&startTime=1750377601&endTime=1750463999";
    expect(await expectRefusal(await server.get(twice, ALICE), [400])).toBe("invalid_option");
    expect(await expectRefusal(await server.get("/app/api/user/usage-stats", ALICE), [400])).toBe(
      "invalid_time",
    );
  });
});

describe("instants of tRPC", () => {
  it.each([
    "",
    "now",
    "2025-06-20",
    "2025-06-20T00:00:00",
    "2025-06-20 00:00:00Z",
    "2025-02-30T00:00:00Z",
    "2025-13-01T00:00:00Z",
    "2025-06-20T25:00:00Z",
    "2025-06-20T00:00:00+99:99",
    "+275760-09-13T00:00:01Z",
    "-000001-01-01T00:00:00Z",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "1999-12-31T23:59:59Z",
    1750377600,
    1e308,
    -1,
    null,
    true,
    {},
    [],
    ["2025-06-20T00:00:00Z"],
  ])("of %j are refused", async (value) => {
    for (const input of [
      { from: value, to: "2025-06-21T00:00:00Z" },
      { from: "2025-06-20T00:00:00Z", to: value },
    ]) {
      const path = `/trpc/usageStats?input=${encodeURIComponent(JSON.stringify(input))}`;
      await expectRefusal(await server.get(path, ALICE), [400]);
    }
  });

  it.each([
    ["the smallest span", "2025-06-20T00:00:00.000Z", "2025-06-20T00:00:00.001Z", 200],
    ["an offset", "2025-06-20T05:45:00+05:45", "2025-06-21T00:00:00Z", 200],
    ["the whole of time", "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", 400],
  ])("of %s are answered %i", async (_, from, to, status) => {
    const client = server.client(ALICE);
    const answer = await client
      .usageStats({ from: new Date(from), to: new Date(to) })
      .catch(usageStatsErrorOf);
    if (status === 200) expect(answer).toMatchObject({ totals: { calls: 0 } });
    else expect(answer).toMatchObject({ code: "range_too_long", httpStatus: 400 });
  });
});

describe("a time zone", () => {
  it.each([
    "Mars/Base",
    "+99:00",
    "../etc/passwd",
    "UTC;",
    "utc\0",
    "Europe",
    "+00:00:01",
    "x".repeat(64),
    "x".repeat(65),
    "__proto__",
    "Etc/GMT+99",
  ])("called %j is refused", async (timezone) => {
    const query = new URLSearchParams({ startTime: "1750377600", endTime: "1750463999", timezone });
    const rest = await server.get(`/app/api/user/usage-stats?${query}`, ALICE);
    expect(await expectRefusal(rest, [400])).toBe("invalid_timezone");
    const range = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
    const refusal = await server
      .client(ALICE)
      .usageStats({ ...range, timezone })
      .catch(usageStatsErrorOf);
    expect(refusal).toMatchObject({ httpStatus: 400 });
  });

  it.each(["1e3", "0x10", "841", "-841", "NaN", "5.5", "１", "9999", "--5", ""])(
    "of the offset %j is refused",
    async (timezoneOffset) => {
      const query = new URLSearchParams({ startTime: "1750377600", endTime: "1750463999", timezoneOffset });
      const rest = await server.get(`/app/api/user/usage-stats?${query}`, ALICE);
      expect(await expectRefusal(rest, [400])).toBe("invalid_timezone");
    },
  );
});
