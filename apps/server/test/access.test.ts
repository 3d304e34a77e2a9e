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
      .filter(({ path, method }) => !(method === "ALL" && ["/*", "/trpc/*"].includes(path)))
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
    expect([200, 202, 400]).toContain(await statusOf(operation, as));
  });
});
