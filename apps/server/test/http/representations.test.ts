import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type RestUsageStats } from "@usage-stats/api";
import { type SharedCache } from "@usage-stats/cache";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { createInProcessLimiter } from "../../src/limits/in-process-limiter.ts";
import { createRateLimits } from "../../src/limits/rate-limits.ts";
import { type HttpServer, listen } from "../../src/serve/http-server.ts";
import { type CacheAdapter, describeCaches } from "../cache-adapters.ts";
import { modelCall } from "../model-calls.ts";
import { createTestServer, type TestServer } from "../test-server.ts";

const now = new Date("2025-06-20T12:00:00Z");
const clock = { now: () => now };
const ALICE = { user: "did:abt:z1alice" };
const OUR_APP = "https://app.example";
const QUICK = { requestTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 };

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  const calls = Array.from({ length: 400 }, (_, i) =>
    modelCall({
      id: String(i),
      userDid: ALICE.user,
      providerId: ["openai", "anthropic"][i % 2]!,
      model: `model-${i % 5}`,
      type: i % 7 === 0 ? "embedding" : "chatCompletion",
      callTime: new Date(now.getTime() - i * 97 * 60_000 - 1),
    }),
  );
  await createCallWriter(database.orm).record(calls);
  await rollUp(database.orm);
});
afterAll(() => database.close());

type Got = { status: number; headers: IncomingHttpHeaders; bytes: Buffer; text: string };

const UNPACK: Record<string, (bytes: Buffer) => Buffer> = {
  br: brotliDecompressSync,
  gzip: gunzipSync,
  identity: (bytes) => bytes,
};

/** What a server sends as it is on the wire; nothing is asked for that is not said. */
function send(http: HttpServer, path: string, headers: Record<string, string>, method = "GET"): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const outgoing = httpRequest({ host: "127.0.0.1", port: http.port, path, method, headers }, (incoming) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("error", reject);
    incoming.on("end", () => {
      const bytes = Buffer.concat(chunks);
      const unpack = UNPACK[incoming.headers["content-encoding"] ?? "identity"]!;
      const text = bytes.length === 0 ? "" : unpack(bytes).toString();
      resolve({ status: incoming.statusCode!, headers: incoming.headers, bytes, text });
    });
  });
  outgoing.on("error", reject);
  outgoing.end();
  return promise;
}

const DAY = 86_400;
const TO = Date.parse("2025-06-20T00:00:00Z") / 1000;
const rest = (days: number) => `startTime=${TO - days * DAY}&endTime=${TO - 1}`;
const input = (days: number, bucket = "day") => ({
  from: new Date((TO - days * DAY) * 1000),
  to: new Date(TO * 1000),
  bucket,
});
const trpc = (value: unknown) => `input=${encodeURIComponent(JSON.stringify(value))}`;

/** Settled ranges, so that all of them are kept. */
const ANSWERS = [
  ["REST", `/app/api/user/usage-stats?${rest(21)}`, "application/json"],
  ["CSV", `/app/api/user/usage-stats?${rest(20)}`, "text/csv; charset=utf-8"],
  ["CSV with a byte order mark", `/app/api/user/usage-stats?${rest(20)}&bom=true`, "text/csv; charset=utf-8"],
  ["tRPC", `/trpc/usageStats?${trpc(input(21))}`, "application/json"],
  ["a tRPC batch of one", `/trpc/usageStats?batch=1&${trpc({ 0: input(19) })}`, "application/json"],
  [
    "a tRPC batch of two",
    `/trpc/usageStats,usageStats?batch=1&${trpc({ 0: input(18), 1: input(12, "week") })}`,
    "application/json",
  ],
] as const;

describeCaches((openAdapter) => {
  let adapter: CacheAdapter;
  let cache: SharedCache;
  let server: TestServer;
  let http: HttpServer;
  let alice: Record<string, string>;
  beforeAll(async () => {
    adapter = await openAdapter();
    cache = adapter.cache(clock);
    server = await createTestServer({ now: clock.now, database, cache, corsOrigins: [OUR_APP] });
    http = await listen(server.fetch, { host: "127.0.0.1", port: 0 }, QUICK);
    alice = (await server.signed(ALICE)).headers;
  });
  afterAll(async () => {
    await http.close();
    await server.close();
    await adapter.close();
  });

  const accepting = (type: string) => ({
    ...alice,
    ...(type.startsWith("text/csv") && { accept: "text/csv" }),
  });

  /** Asks until it is kept, and compressed where it is to be. */
  async function untilKept(path: string, headers: Record<string, string>): Promise<Got> {
    const gzip = { ...headers, "accept-encoding": "gzip" };
    await vi.waitFor(async () => {
      const got = await send(http, path, gzip);
      expect(got.headers["cache-status"]).toContain("; hit");
      expect(got.headers["content-encoding"]).toBe("gzip");
    });
    return send(http, path, headers);
  }

  describe.each(ANSWERS)("%s", (_name, path, type) => {
    let plain: Got;
    beforeAll(async () => {
      plain = await untilKept(path, accepting(type));
    });

    it("is plain for whoever takes nothing else, with a tag, and says what it depends on", () => {
      expect(plain.status).toBe(200);
      expect(plain.headers).toMatchObject({
        "content-type": type,
        "content-length": String(plain.bytes.length),
        "cache-control": "private, no-store",
        etag: expect.stringMatching(/^W\/"[\w-]{22}"$/) as string,
      });
      expect(plain.headers["content-encoding"]).toBeUndefined();
      expect(plain.headers.vary).toMatch(/(^|, )accept, accept-encoding$/);
    });

    it.each(["gzip", "br", "*", "gzip, deflate, br, zstd", "br;q=0.1, gzip;q=0.9", "identity;q=0, gzip"])(
      "is the same text, with the same tag, in a coding of %j",
      async (codings) => {
        const got = await send(http, path, { ...accepting(type), "accept-encoding": codings });
        const coding = got.headers["content-encoding"];
        // A shared store keeps gzip alone, and a batch is put together of gzip alone.
        const only = codings === "br" && coding === undefined;
        expect(only || ["gzip", "br"].includes(coding!)).toBe(true);
        expect(got.text).toBe(plain.text);
        expect(got.headers).toMatchObject({
          "content-type": type,
          "content-length": String(got.bytes.length),
          etag: plain.headers.etag,
          vary: plain.headers.vary,
        });
        if (!only) expect(got.bytes.length).toBeLessThan(plain.bytes.length / 2);
      },
    );

    it.each([
      ["identity", {}],
      ["gzip;q=0, br;q=0, *;q=0", {}],
      ["deflate, zstd", {}],
      ["gzip, br", { "cache-control": "max-age=0, no-transform" }],
    ])("is plain for %j with %j", async (codings, more) => {
      const got = await send(http, path, { ...accepting(type), "accept-encoding": codings, ...more });
      expect(got.headers["content-encoding"]).toBeUndefined();
      expect(got.bytes).toEqual(plain.bytes);
    });

    it.each([
      ["its tag", (tag: string) => tag],
      ["its tag, as a strong one", (tag: string) => tag.slice(2)],
      ["a list", (tag: string) => `"x", ${tag}`],
      ["anything", () => "*"],
    ])("is not sent again to whoever names %s, in whatever coding", async (_, namedBy) => {
      for (const codings of ["identity", "gzip", "br"]) {
        const headers = {
          ...accepting(type),
          "accept-encoding": codings,
          "if-none-match": namedBy(plain.headers.etag!),
        };
        const got = await send(http, path, headers);
        expect(got.status).toBe(304);
        expect(got.bytes.length).toBe(0);
        expect(got.headers).toMatchObject({
          etag: plain.headers.etag,
          vary: plain.headers.vary,
          "cache-control": plain.headers["cache-control"],
          "x-content-type-options": "nosniff",
          "cache-status": expect.stringContaining("; hit") as string,
        });
        for (const header of ["content-type", "content-encoding", "content-length", "transfer-encoding"])
          expect(got.headers[header]).toBeUndefined();
      }
    });

    it("is sent to whoever names another", async () => {
      for (const tag of ['W/"x"', "", '"*"'])
        expect((await send(http, path, { ...accepting(type), "if-none-match": tag })).status).toBe(200);
    });

    it("is 304 to nobody who may not read it, whatever they name", async () => {
      const stranger = type.startsWith("text/csv") ? { accept: "text/csv" } : {};
      const eve = { ...stranger, ...(await server.signed({ user: "did:abt:z1eve" })).headers };
      for (const tag of [plain.headers.etag!, "*"]) {
        const got = await send(http, path, { ...stranger, "if-none-match": tag });
        expect(got.status).toBe(401);
        expect(got.headers.etag).toBeUndefined();
      }
      // Of her own answer she has another text.
      const own = await send(http, path, { ...eve, "if-none-match": plain.headers.etag! });
      expect(own.status).toBe(200);
      expect(own.headers.etag).not.toBe(plain.headers.etag);
    });

    it("varies by origin too, for a page of another one, which may read its tag", async () => {
      const got = await send(http, path, { ...accepting(type), origin: OUR_APP, "accept-encoding": "gzip" });
      expect(got.headers.vary?.toLowerCase().split(/, */)).toEqual(
        expect.arrayContaining(["accept", "accept-encoding", "origin"]),
      );
      expect(got.headers["access-control-expose-headers"]).toContain("etag");
      expect(got.text).toBe(plain.text);
    });
  });

  it("has other tags for other answers, whose texts differ", async () => {
    const tags = new Set<unknown>();
    for (const [, path, type] of ANSWERS) tags.add((await untilKept(path, accepting(type))).headers.etag);
    expect(tags.size).toBe(ANSWERS.length);
  });

  it("sends as a batch the list of what it sends alone", async () => {
    const values = await Promise.all(
      [input(18), input(12, "week")].map(async (value) => {
        const got = await untilKept(`/trpc/usageStats?${trpc(value)}`, alice);
        return JSON.parse(got.text) as unknown;
      }),
    );
    const [, path] = ANSWERS.at(-1)!;
    await untilKept(path, alice);
    const got = await send(http, path, { ...alice, "accept-encoding": "gzip" });
    expect(JSON.parse(got.text)).toEqual(values);
  });

  it("sends HEAD what it sends GET, without a body", async () => {
    const [, path] = ANSWERS[0];
    const got = await send(http, path, alice);
    const head = await send(http, path, { ...alice, "accept-encoding": "gzip" }, "HEAD");
    expect(head).toMatchObject({
      status: 200,
      headers: { etag: got.headers.etag, vary: got.headers.vary, "content-encoding": "gzip" },
    });
    expect(head.bytes.length).toBe(0);
    const known = { ...alice, "if-none-match": got.headers.etag! };
    expect((await send(http, path, known, "HEAD")).status).toBe(304);
  });

  it("has a new tag once a call has changed the answer, and no 304 for the one before", async () => {
    const [, path] = ANSWERS[0];
    const before = await untilKept(path, alice);
    const callTime = new Date((TO - 3 * DAY) * 1000);
    const late = modelCall({ id: crypto.randomUUID(), userDid: ALICE.user, callTime });
    await createCallWriter(database.orm).record([late]);
    await cache.invalidate([ALICE.user]);
    const headers = { ...alice, "if-none-match": before.headers.etag!, "accept-encoding": "gzip" };
    const after = await send(http, path, headers);
    expect(after.status).toBe(200);
    expect(after.headers.etag).not.toBe(before.headers.etag);
    expect(callsOf(after)).toBe(callsOf(before) + 1);
  });
});

const callsOf = ({ text }: Got) => (JSON.parse(text) as RestUsageStats).summary.totalCalls;

describe("without a cache", () => {
  let server: TestServer;
  let http: HttpServer;
  let alice: Record<string, string>;
  beforeAll(async () => {
    const limiter = createInProcessLimiter();
    const limits = createRateLimits(
      { budgets: { read: 30, write: 2, export: 1 }, address: 1_000, failures: 30 },
      { shared: limiter, local: limiter, monotonic: () => 0 },
    );
    server = await createTestServer({ now: clock.now, database, limits });
    http = await listen(server.fetch, { host: "127.0.0.1", port: 0 }, QUICK);
    alice = (await server.signed(ALICE)).headers;
  });
  afterAll(async () => {
    await http.close();
    await server.close();
  });

  const UP_TO_NOW = `/app/api/user/usage-stats?startTime=${TO - 21 * DAY}&endTime=${TO + DAY - 1}`;

  it("is compressed for whoever asks, and not sent again while no call changes it", async () => {
    const plain = await send(http, UP_TO_NOW, alice);
    for (const coding of ["gzip", "br"]) {
      const got = await send(http, UP_TO_NOW, { ...alice, "accept-encoding": coding });
      expect(got.headers).toMatchObject({ "content-encoding": coding, etag: plain.headers.etag });
      expect(got.text).toBe(plain.text);
      expect(got.bytes.length).toBeLessThan(plain.bytes.length / 2);
    }
    const known = { ...alice, "if-none-match": plain.headers.etag! };
    expect((await send(http, UP_TO_NOW, known)).status).toBe(304);
    const late = modelCall({
      id: crypto.randomUUID(),
      userDid: ALICE.user,
      callTime: new Date(+now - 60_000),
    });
    await createCallWriter(database.orm).record([late]);
    const after = await send(http, UP_TO_NOW, known);
    expect([after.status, callsOf(after)]).toEqual([200, callsOf(plain) + 1]);
  });

  it("is compressed by tRPC too, in the same words and with its own Vary", async () => {
    const path = `/trpc/usageStats?batch=1&${trpc({ 0: input(21) })}`;
    const plain = await send(http, path, alice);
    const got = await send(http, path, { ...alice, "accept-encoding": "gzip, br" });
    expect(got.headers["content-encoding"]).toBe("gzip");
    expect(got.headers.vary).toBe("trpc-accept, accept, accept-encoding");
    const ofData = ({ text }: Got) =>
      (JSON.parse(text) as { result: { data: { json: { totals: unknown; series: unknown } } } }[])[0]!.result
        .data.json;
    expect(ofData(got).totals).toEqual(ofData(plain).totals);
    expect(ofData(got).series).toEqual(ofData(plain).series);
  });

  it("is plain where it is short, but for whoever refuses that", async () => {
    const { headers } = await server.signed({ user: "did:abt:z1nobody" });
    const path = `/app/api/user/usage-stats?${rest(2)}`;
    const plain = await send(http, path, { ...headers, "accept-encoding": "gzip, br" });
    expect(plain.headers["content-encoding"]).toBeUndefined();
    expect(plain.bytes.length).toBeLessThan(1_024);
    const got = await send(http, path, { ...headers, "accept-encoding": "gzip, identity;q=0" });
    expect(got.headers["content-encoding"]).toBe("gzip");
    expect(got.text).toBe(plain.text);
  });

  it("compresses no refusal, and gives it no tag", async () => {
    const path = `${UP_TO_NOW}&userDid=did:abt:z1bob`;
    const got = await send(http, path, { ...alice, "accept-encoding": "gzip", "if-none-match": "*" });
    expect(got.status).toBe(403);
    expect(got.headers).toMatchObject({ "content-type": "application/problem+json" });
    expect(got.headers["content-encoding"]).toBeUndefined();
    expect(got.headers.etag).toBeUndefined();
  });

  it("counts a 304 as a request, and refuses it where no more are allowed", async () => {
    const bob = (await server.signed({ user: "did:abt:z1bob" })).headers;
    const path = `/app/api/user/usage-stats?${rest(2)}`;
    const known = { ...bob, "if-none-match": (await send(http, path, bob)).headers.etag! };
    const left = [];
    for (let i = 0; i < 30; i += 1) {
      const { status, headers } = await send(http, path, known);
      left.push([status, headers["ratelimit-remaining"]]);
    }
    expect(left.slice(0, 2)).toEqual([
      [304, "28"],
      [304, "27"],
    ]);
    expect(left.slice(-2)).toEqual([
      [304, "0"],
      [429, undefined],
    ]);
  });
});
