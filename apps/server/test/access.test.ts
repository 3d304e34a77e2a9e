import { ACCESS, appRouter } from "@usage-stats/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "./test-server.ts";

const user = { user: "did:abt:z1alice" };
const admin = { user: "did:abt:z1root", role: "admin" as const };
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
});
afterAll(() => server.close());

type Procedure = { _def: { type: "query" | "mutation" } };
const procedures = Object.entries(appRouter._def.procedures as unknown as Record<string, Procedure>);
const operations = Object.entries(ACCESS);

async function statusOf(
  operation: string,
  as: { user: string; role?: "user" | "admin" } | null,
): Promise<number> {
  const signed = as === null ? { headers: {} } : await server.signed(as);
  const procedure = procedures.find(([name]) => name === operation)?.[1];
  if (procedure === undefined) {
    const [method, path] = operation.split(" ") as [string, string];
    return (await server.request(path, { method, ...signed })).status;
  }
  const init = { headers: { ...signed.headers, "content-type": "application/json" } };
  const isQuery = procedure._def.type === "query";
  const path = `/trpc/${operation}${isQuery ? "?input=%7B%7D" : ""}`;
  return (await server.request(path, isQuery ? init : { ...init, method: "POST", body: '{"dryRun":true}' }))
    .status;
}

describe("every operation", () => {
  it("is in the table: each procedure, and each route that is not tRPC's", () => {
    const routes = server.routes
      .filter(({ path }) => !["/*", "/trpc/*"].includes(path))
      .filter(({ handlesRequests }) => handlesRequests)
      .map(({ method, path }) => `${method} ${path}`);
    const names = new Set([...procedures.map(([name]) => name), ...routes]);
    expect([...names].toSorted()).toEqual(Object.keys(ACCESS).toSorted());
  });

  it.each(operations.filter(([, scope]) => scope !== "public"))(
    "%s is refused to strangers",
    async (operation) => {
      expect(await statusOf(operation, null)).toBe(401);
    },
  );

  it.each(operations.filter(([, scope]) => scope !== "public" && scope !== "stats:read"))(
    "%s is refused to users",
    async (operation) => {
      expect(await statusOf(operation, user)).toBe(403);
    },
  );

  it.each(operations)("%s (%s) is not refused to whoever may do it", async (operation, scope) => {
    const as = scope === "public" ? null : scope === "stats:read" ? user : admin;
    expect([200, 202, 400, 415]).toContain(await statusOf(operation, as));
  });
});

describe("a change by cookie", () => {
  const change = async (headers: Record<string, string>, cookie = true) => {
    const { headers: signed } = await server.signed(admin);
    const token = signed.authorization.slice("Bearer ".length);
    const credentials = cookie ? { cookie: `login_token=${token}` } : signed;
    const init = { method: "POST", body: '{"dryRun":true}' };
    const json = { "content-type": "application/json" };
    const rest = await server.request("/app/api/admin/rebuild", {
      ...init,
      headers: { ...json, ...credentials, ...headers },
    });
    const trpc = await server.request("/trpc/admin.rebuild", {
      ...init,
      headers: { ...json, ...credentials, ...headers },
    });
    return [rest.status, trpc.status];
  };

  it.each([
    ["another site", { "sec-fetch-site": "cross-site" }],
    ["a site of the same owner", { "sec-fetch-site": "same-site", origin: "http://localhost" }],
    ["nowhere", { "sec-fetch-site": "none" }],
    ["another origin, by an old browser", { origin: "https://evil.example" }],
    ["an origin that is no URL", { origin: "null" }],
    ["an origin with our name in it", { origin: "https://localhost.evil.example" }],
    ["something that does not say", {}],
  ])("is refused when it comes from %s", async (_, headers) => {
    expect(await change(headers)).toEqual([403, 403]);
  });

  it.each([
    ["by Fetch Metadata", { "sec-fetch-site": "same-origin" }],
    ["by its origin", { origin: "http://localhost" }],
    ["by its origin, behind a proxy", { origin: "https://usage.example", host: "usage.example" }],
  ])("is accepted from our own pages, %s", async (_, headers) => {
    expect(await change(headers)).toEqual([202, 200]);
  });

  it("is not what a bearer token makes, which no browser sends by itself", async () => {
    expect(await change({ "sec-fetch-site": "cross-site" }, false)).toEqual([202, 200]);
  });
});
