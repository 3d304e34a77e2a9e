import { ACCESS } from "@usage-stats/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "../test-server.ts";
import { expectRefusal } from "./database-contents.ts";

const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const STATS = "/app/api/user/usage-stats?startTime=1750377600&endTime=1750463999";
const OUR_APP = "https://app.example";

let server: TestServer;
let broken: TestServer;

beforeAll(async () => {
  server = await createTestServer({ corsOrigins: [OUR_APP] });
  const fail = () => Promise.reject(new Error("select secret from node_modules at /src/x.ts:1"));
  broken = await createTestServer({ repository: () => ({ read: fail, sumCalls: fail }) });
});
afterAll(async () => {
  await server.close();
  await broken.close();
});

const ROUTES = Object.keys(ACCESS)
  .filter((operation) => operation.includes(" "))
  .map((operation) => operation.split(" ") as [string, string]);

describe.each([...new Set(ROUTES.map(([, path]) => path)), "/trpc/usageStats"])("at %s", (path) => {
  const allowed = path.startsWith("/trpc/")
    ? ["GET", "POST"]
    : ROUTES.filter(([, own]) => own === path).map(([method]) => method);

  it.each(
    ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "GET", "POST"].filter(
      (method) => !allowed.includes(method),
    ),
  )("%s is not allowed, and told what is", async (method) => {
    const response = await server.request(path, { method, ...(await server.signed(ROOT)) });
    expect(response.headers.get("allow")?.split(", ")).toEqual(expect.arrayContaining(allowed));
    expect(await expectRefusal(response, [405])).toBe("method_not_allowed");
  });

  it("no header changes the method", async () => {
    const { authorization } = (await server.signed(ROOT)).headers;
    const overrides = { "x-http-method-override": allowed[0]!, "x-method-override": allowed[0]! };
    const headers = { authorization, ...overrides };
    await expectRefusal(await server.request(path, { method: "PUT", headers }), [405]);
  });
});

describe("an address that is nearly one of ours", () => {
  it.each([
    "//app/api/user/usage-stats",
    "/app//api/user/usage-stats",
    "/app/api/user/usage-stats/",
    "/app/api/user/usage-stats/x",
    "/app/api/user/usage-stats;x",
    "/app/api/user/usage-stats%00",
    "/app/api/user/usage-stats%2f",
    "/%61pp/api/user/usage-stats%20",
    "/APP/api/user/usage-stats",
    "/app/api/user/admin/",
    "/app/api/admin",
    "/app/api/user/usage-stats/../../../metrics/x",
    "/app/api/..%2f..%2fmetrics",
    "/metrics/",
    "/metrics%2f",
    "/.env",
    "/.git/config",
    "/trpc",
    "/trpc/",
    "/trpc/../metrics/x",
    "/trpc/admin%2Ekeys%2Elist%00",
    "/%",
    "/%zz",
    "/%c0%ae%c0%ae/",
  ])("%s leads nowhere, whoever asks", async (path) => {
    for (const init of [{}, await server.signed({ user: "did:abt:z1alice" })])
      await expectRefusal(await server.request(path, init), [400, 401, 404]);
  });

  it.each([
    "//app/api/user/admin/user-stats?startTime=1750377600&endTime=1750463999",
    "/app/api/user/../user/admin/user-stats?startTime=1750377600&endTime=1750463999",
    "/app/api/user/%61dmin/user-stats?startTime=1750377600&endTime=1750463999",
    "/app/api/user/admin%2fuser-stats?startTime=1750377600&endTime=1750463999",
    "/trpc/admin%2EusageStats?input=%7B%7D",
    "/trpc/usageStats,admin.usageStats?batch=1&input=%7B%7D",
    "/trpc/%61dmin.keys.list",
  ])("%s lets no user past who may", async (path) => {
    const response = await server.get(path, { user: "did:abt:z1alice" });
    expect([207, 400, 403, 404]).toContain(response.status);
    expect(await response.text()).not.toContain('"result"');
  });
});

describe("every answer", () => {
  const answers: [string, () => Promise<Response>][] = [
    ["an answer", () => server.get(STATS, ROOT)],
    ["an answer of tRPC", () => server.get("/trpc/admin.keys.list", ROOT)],
    ["a stranger's refusal", () => server.request(STATS)],
    ["a refusal", () => server.get("/app/api/user/usage-stats", ROOT)],
    ["a refusal of tRPC", () => server.get("/trpc/usageStats?input=1", ROOT)],
    ["nothing there", () => server.request("/nothing")],
    ["not allowed", () => server.request("/health", { method: "PUT" })],
    ["too long", () => server.request(`/${"x".repeat(9_000)}`)],
    ["health", () => server.request("/health")],
    ["metrics", () => server.get("/metrics", ROOT)],
    ["our failure", () => broken.get(STATS, ROOT)],
    [
      "our failure, by tRPC",
      () =>
        broken.get(
          `/trpc/usageStats?input=${encodeURIComponent('{"from":"2025-06-20T00:00:00Z","to":"2025-06-21T00:00:00Z"}')}`,
          ROOT,
        ),
    ],
  ];

  it.each(answers)("(%s) has the headers that keep it safe, an id, and no banner", async (_, ask) => {
    const { headers } = await ask();
    const of = (name: string) => headers.get(name);
    expect(of("x-content-type-options")).toBe("nosniff");
    expect(of("referrer-policy")).toBe("no-referrer");
    expect(of("x-frame-options")).toBe("DENY");
    expect(of("strict-transport-security")).toMatch(/^max-age=\d{7,}/);
    expect(of("content-security-policy")).toContain("default-src 'none'");
    expect(of("cache-control")).toBe("private, no-store");
    expect(of("x-request-id")).toMatch(/^[\w-]{36}$/);
    expect([of("server"), of("x-powered-by")]).toEqual([null, null]);
  });

  it("to our own failure says nothing of it, and the id under which it is logged", async () => {
    for (const [, ask] of answers.filter(([about]) => about.startsWith("our failure"))) {
      const response = await ask();
      const id = response.headers.get("x-request-id");
      expect(await expectRefusal(response.clone(), [500])).toBe("internal");
      expect(await response.text()).toContain(id);
    }
    expect(broken.errors).toHaveLength(2 + 2 * 1);
  });
});

describe("a page of another origin", () => {
  const allowOf = (response: Response) => response.headers.get("access-control-allow-origin");

  it.each([
    "https://evil.example",
    "null",
    "https://evil-app.example",
    "https://app.example.evil.example",
    "http://app.example",
    "https://app.example:8443",
    "https://APP.example",
    "https://app.example/",
    "https://app.example, https://evil.example",
  ])("%s may read nothing", async (origin) => {
    const { headers } = await server.signed(ROOT);
    expect(allowOf(await server.request(STATS, { headers: { ...headers, origin } }))).toBeNull();
    const preflight = { origin, "access-control-request-method": "GET" };
    expect(allowOf(await server.request(STATS, { method: "OPTIONS", headers: preflight }))).toBeNull();
  });

  it("that is listed may, also refusals, but never with cookies", async () => {
    const { headers } = await server.signed(ROOT);
    for (const init of [{ headers: { ...headers, origin: OUR_APP } }, { headers: { origin: OUR_APP } }]) {
      const response = await server.request(STATS, init);
      expect(allowOf(response)).toBe(OUR_APP);
      expect(response.headers.get("vary")).toMatch(/origin/i);
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    }
    const preflight = await server.request(STATS, {
      method: "OPTIONS",
      headers: {
        origin: OUR_APP,
        "access-control-request-method": "GET",
        "access-control-request-headers": "authorization",
      },
    });
    expect(preflight.status).toBe(204);
    expect(allowOf(preflight)).toBe(OUR_APP);
    expect(preflight.headers.get("access-control-allow-headers")).toContain("authorization");
  });
});
