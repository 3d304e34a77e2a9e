import { ACCESS, appRouter } from "@usage-stats/api";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createTestServer, type TestServer } from "../test-server.ts";
import { contentsOf } from "./database-contents.ts";

// Words of what lies below. What was sent may be told, but does not happen to hold them.
const LEAK = /node_modules|\/src\/|\n\s+at |relation "|syntax error|duplicate key|violates|Unexpected|ECONN/;

const RUNS = Number(process.env["LONG"] ?? 1) * 600;
const USER = { user: "did:abt:z1alice" };
const ROOT = { user: "did:abt:z1root", role: "admin" as const };

let server: TestServer;
let before: string;

beforeAll(async () => {
  server = await createTestServer();
  before = await contentsOf(server);
});
afterAll(() => server.close());

const routes = Object.keys(ACCESS)
  .filter((operation) => operation.includes(" "))
  .map((operation) => operation.split(" ") as [string, string]);
const procedures = Object.keys(appRouter._def.procedures);

// What parsers choke on, besides what is random anyway.
const NASTY = [
  "",
  "\0",
  "%",
  "%00",
  "{}",
  "[]",
  "null",
  "-1",
  "1e999",
  "__proto__",
  "\uFFFD",
  "'",
  "a".repeat(3_000),
];
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 20 }),
  fc.constantFrom(...NASTY),
);
const value = fc.oneof(text, fc.constantFrom("1750377600", "1750463999", "UTC", "did:abt:z1alice", "true"));
const parameter = fc.oneof(
  fc.constantFrom(
    "startTime",
    "endTime",
    "timezone",
    "timezoneOffset",
    "userDid",
    "noCache",
    "rankBy",
    "input",
    "batch",
  ),
  text,
);
const queryString = fc.array(fc.tuple(parameter, value), { maxLength: 6 });

/** A query that is valid, or nearly: some of its fields were exchanged, or others added. */
const query = fc
  .tuple(
    fc.dictionary(
      fc.oneof(
        fc.constantFrom(
          "userDid",
          "timezone",
          "bucket",
          "groupBy",
          "filter",
          "topN",
          "compare",
          "limit",
          "cursor",
          "from",
          "to",
          "name",
          "scopes",
          "id",
          "search",
          "orderBy",
          "rankBy",
        ),
        text,
      ),
      fc.jsonValue({ maxDepth: 4 }),
      { maxKeys: 3 },
    ),
  )
  .map(([change]) => ({ from: "2025-06-20T00:00:00Z", to: "2025-06-21T00:00:00Z", ...change }));

const body = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  query.map((json) => JSON.stringify(json)),
  // A valid body with one character exchanged.
  fc.tuple(query, fc.nat(), text).map(([json, at, by]) => {
    const whole = JSON.stringify(json);
    const place = at % whole.length;
    return whole.slice(0, place) + by + whole.slice(place + 1);
  }),
);

const target = fc.oneof(
  fc.constantFrom(...routes),
  fc.constantFrom(...procedures).map((name) => ["GET", `/trpc/${name}`] as [string, string]),
  fc.constantFrom(...procedures).map((name) => ["POST", `/trpc/${name}`] as [string, string]),
  fc.tuple(
    fc.constantFrom("GET", "POST", "PUT"),
    fc.webPath().map((path) => path || "/"),
  ),
);

const headers = fc.dictionary(
  fc.constantFrom(
    "content-type",
    "content-encoding",
    "accept",
    "origin",
    "trpc-accept",
    "cookie",
    "range",
    "if-none-match",
    "x-forwarded-for",
    "content-length",
  ),
  fc.oneof(
    fc.constantFrom(
      "application/json",
      "application/x-ndjson",
      "application/x-protobuf",
      "application/cloudevents+json",
      "text/csv",
      "gzip",
      "identity",
      "application/jsonl",
      "0",
    ),
    fc.stringMatching(/^[ -~]{0,30}$/),
  ),
  { maxKeys: 3 },
);

it("whatever is sent: never a failure of ours, never a word of the inside", async () => {
  const tokens = await Promise.all([USER, ROOT].map((as) => server.signed(as)));
  await fc.assert(
    fc.asyncProperty(
      target,
      queryString,
      query,
      body,
      headers,
      fc.constantFrom(0, 1, 2),
      async ([method, path], random, asked, sent, more, who) => {
        const parameters = new URLSearchParams(random);
        if (path.startsWith("/trpc/") && method === "GET" && !parameters.has("input"))
          parameters.set("input", JSON.stringify(asked));
        const init: RequestInit = {
          method,
          headers: { "content-type": "application/json", ...more, ...tokens[who]?.headers },
          ...(method !== "GET" && { body: sent as NonNullable<RequestInit["body"]> }),
        };
        const response = await server.request(`${path}?${parameters}`, init);
        expect(response.status).toBeLessThan(500);
        expect(server.errors).toEqual([]);
        if (response.status >= 400) expect(await response.text()).not.toMatch(LEAK);
      },
    ),
    { numRuns: RUNS },
  );
  // Admins' valid requests are answered, and some of these are changes; nobody else changed anything.
  const changed = await contentsOf(server);
  expect(JSON.parse(changed)).toHaveLength((JSON.parse(before) as unknown[]).length);
}, 120_000);
