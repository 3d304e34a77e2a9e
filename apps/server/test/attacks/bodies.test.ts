import { gzipSync } from "node:zlib";
import { ACCESS } from "@usage-stats/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "../test-server.ts";
import { contentsOf, expectRefusal } from "./database-contents.ts";

const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const JSON_TYPE = { "content-type": "application/json" };

let server: TestServer;
let before: string;

beforeAll(async () => {
  server = await createTestServer();
  before = await contentsOf(server);
});
afterAll(async () => {
  expectNothingPolluted();
  await server.close();
});

function expectNothingPolluted(): void {
  for (const name of ["polluted", "admin", "userDid", "scopes"])
    if (name in {}) throw new Error(`Object.prototype.${name} was set`);
}

/** Where JSON is sent to, besides the gateway's own routes, which have their own tests. */
const TARGETS = [
  "/app/api/admin/rebuild",
  "/app/api/viewer-tokens",
  "/trpc/admin.rebuild",
  "/trpc/admin.keys.create",
  "/trpc/viewerTokens.create",
];

async function post(
  path: string,
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string> = JSON_TYPE,
) {
  const { authorization } = (await server.signed(ROOT)).headers;
  const streaming = body instanceof ReadableStream ? { duplex: "half" as const } : {};
  return server.request(path, { method: "POST", body, headers: { authorization, ...headers }, ...streaming });
}

const deep = (open: string, close: string, depth: number) => open.repeat(depth) + close.repeat(depth);

const BAD_BODIES: [string, NonNullable<RequestInit["body"]>, number[]][] = [
  ["no JSON", "{not json", [400]],
  ["half of a JSON", '{"userDid":"a"', [400]],
  ["two JSONs", '{"dryRun":true}{"dryRun":true}', [400]],
  ["a comment", '{"dryRun":true/**/}', [400]],
  ["single quotes", "{'dryRun':true}", [400]],
  ["NaN", '{"expiresInSeconds":NaN}', [400]],
  ["a form", "dryRun=true", [400]],
  ["XML", "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><x>&e;</x>", [400]],
  ["invalid UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400]],
  ["an overlong NUL", new Uint8Array([0x22, 0xc0, 0x80, 0x22]), [400]],
  ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]), [400]],
  ["a list", "[]", [400]],
  ["a list of bodies", '[{"dryRun":true}]', [400]],
  ["a string", '"dryRun"', [400]],
  ["a number", "1e999", [400]],
  ["null", "null", [400]],
  ["true", "true", [400]],
  ["fifty thousand lists in each other", deep("[", "]", 50_000), [400, 413]],
  ["fifty thousand objects in each other", `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`, [400, 413]],
  ["nothing but brackets", "[".repeat(9_000), [400]],
  ["an unknown field", '{"dryRun":true,"everything":true}', [400]],
  ["__proto__", '{"__proto__":{"polluted":true,"admin":true},"dryRun":true}', [400]],
  ["constructor", '{"constructor":{"prototype":{"polluted":true}},"dryRun":true}', [400]],
  [
    "superjson: a type that reserves memory",
    '{"json":{"dryRun":true},"meta":{"values":{"x":[["typed-array","Float64Array"]]}}}',
    [400],
  ],
  [
    "superjson: a path into the prototype",
    '{"json":{"a":1},"meta":{"values":{"__proto__.polluted":["Date"]}}}',
    [400],
  ],
  ["superjson: a regular expression", '{"json":"/(a+)+$/","meta":{"values":["regexp"]}}', [400]],
  ["superjson: a huge bigint", `{"json":"${"9".repeat(5_000)}","meta":{"values":["bigint"]}}`, [400]],
  [
    "wrong types everywhere",
    '{"userDid":{},"from":[],"to":1,"dryRun":"yes","name":1,"scopes":"admin"}',
    [400],
  ],
];

describe.each(TARGETS)("%s", (path) => {
  it.each(BAD_BODIES)("refuses %s", async (_, body, statuses) => {
    await expectRefusal(await post(path, body), statuses);
    expectNothingPolluted();
  });

  it("refuses what is too large, whether its length is told, hidden or a lie", async () => {
    const large = "x".repeat(1_100_000);
    expect(await expectRefusal(await post(path, `{"a":"${large}"}`), [413])).toBe("too_large");
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new Uint8Array(100_000).fill(0x20));
      },
    });
    expect(await expectRefusal(await post(path, stream), [413])).toBe("too_large");
    const lie = { ...JSON_TYPE, "content-length": "2" };
    await expectRefusal(await post(path, `{"a":"${large}"}`, lie), [400, 413]);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "",
    "application/xml",
  ])("refuses the content type %j", async (type) => {
    const response = await post(path, '{"dryRun":true,"userDid":"a"}', { "content-type": type });
    expect(await expectRefusal(response, [415])).toMatch(/^(unsupported_media_type|invalid_request)$/);
  });

  it.each(["gzip", "br", "deflate", "x", "identity, gzip"])("refuses the encoding %s", async (encoding) => {
    const headers = { ...JSON_TYPE, "content-encoding": encoding };
    const response = await post(path, gzipSync('{"dryRun":true}'), headers);
    expect(await expectRefusal(response, [415])).toBe("unsupported_encoding");
  });
});

describe("a question to tRPC", () => {
  it.each([
    ["superjson's own shape", '{"json":{"from":"2025-06-20T00:00:00Z"},"meta":{}}'],
    ["deep", deep("[", "]", 1_000)],
    ["no JSON", "{"],
    ["nothing", ""],
    ["__proto__", '{"__proto__":{"polluted":1},"from":"2025-06-20T00:00:00Z","to":"2025-06-21T00:00:00Z"}'],
  ])("that is %s is refused", async (_, input) => {
    const path = `/trpc/usageStats?input=${encodeURIComponent(input)}`;
    await expectRefusal(await server.get(path, ROOT), [400]);
    expectNothingPolluted();
  });

  it.each([
    "__proto__",
    "constructor",
    "toString",
    "hasOwnProperty",
    "admin",
    "admin.keys",
    "_def",
    "usageStats.usageStats",
    "",
  ])("that names %j is not found", async (name) => {
    await expectRefusal(await server.get(`/trpc/${name}?input=%7B%7D`, ROOT), [404]);
  });

  it.each([
    "__proto__[polluted]=1",
    "__proto__.polluted=1",
    "constructor[prototype][polluted]=1",
    "userDid[__proto__]=1",
  ])("or REST with %s in its query sets nothing", async (query) => {
    await expectRefusal(await server.get(`/app/api/user/usage-stats?${query}`, ROOT), [400]);
    const trpc = await server.get(`/trpc/usageStats?input=%7B%7D&${query}`, ROOT);
    await expectRefusal(trpc, [400]);
    expectNothingPolluted();
  });
});

describe("a tRPC batch", () => {
  const batch = (names: string[]) =>
    `/trpc/${names.join(",")}?batch=1&input=${encodeURIComponent(JSON.stringify(Object.fromEntries(names.map((_, i) => [i, {}]))))}`;
  const repeated = (n: number, name = "usageStats") => Array.from({ length: n }, () => name);

  it("of eleven questions is refused, and one of a thousand", async () => {
    await expectRefusal(await server.get(batch(repeated(11)), ROOT), [400]);
    await expectRefusal(await server.get(batch(repeated(1_000, "a")), ROOT), [400, 414]);
    await expectRefusal(await server.get(batch(repeated(1_000)), ROOT), [414]);
    const { authorization } = (await server.signed(ROOT)).headers;
    const body = JSON.stringify(Object.fromEntries(repeated(700).map((_, i) => [i, { dryRun: true }])));
    const mutations = await server.request(`/trpc/${repeated(500, "admin.rebuild").join(",")}?batch=1`, {
      method: "POST",
      headers: { authorization, ...JSON_TYPE },
      body,
    });
    await expectRefusal(mutations, [400, 414]);
  });

  it("answers each of its questions by itself: one that is refused refuses no other", async () => {
    const good = { from: "2025-06-20T00:00:00Z", to: "2025-06-21T00:00:00Z" };
    const input = encodeURIComponent(JSON.stringify({ 0: good, 1: good, 2: {} }));
    const path = `/trpc/usageStats,admin.usageStats,usageStats?batch=1&input=${input}`;
    const answers = (await (await server.get(path, { user: "did:abt:z1alice" })).json()) as object[];
    expect(answers.map((answer) => ("error" in answer ? "refused" : "answered"))).toEqual([
      "answered",
      "refused",
      "refused",
    ]);
  });
});

it("every route that takes a body is among those attacked, or is the gateway's", () => {
  const posts = Object.keys(ACCESS)
    .filter((operation) => operation.startsWith("POST "))
    .map((operation) => operation.slice("POST ".length));
  const gateways = ["/app/api/model-calls", "/app/api/cloud-events", "/v1/traces"];
  expect(posts.filter((path) => !TARGETS.includes(path) && !gateways.includes(path))).toEqual([]);
});

it("nothing of all this was written, or was an error of ours", async () => {
  expect(await contentsOf(server)).toBe(before);
  expect(server.errors).toEqual([]);
});
