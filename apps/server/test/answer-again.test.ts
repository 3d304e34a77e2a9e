import { request as send } from "node:http";
import { type SharedCache } from "@usage-stats/cache";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInProcessLimiter } from "../src/limits/in-process-limiter.ts";
import { createRateLimits } from "../src/limits/rate-limits.ts";
import { type HttpServer, listen } from "../src/serve/http-server.ts";
import { createMetrics, type ServerMetrics } from "../src/serve/metrics.ts";
import { type CacheAdapter, describeCaches } from "./cache-adapters.ts";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const START = Date.parse("2025-06-20T12:00:00Z");
const MINUTE = 60_000;
const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const PAGE = "https://page.example";

/** A server of its own with everything it needs, and what stands for it in requests. */
type World = {
  server: TestServer;
  http: HttpServer;
  cache: SharedCache;
  adapter: CacheAdapter;
  metrics: ServerMetrics;
  who: Record<Who, string[]>;
  keyId: string;
};
type Who =
  | "alice"
  | "bob"
  | "admin"
  | "alice's cookie"
  | "key"
  | "viewer"
  | "nobody"
  | "mangled"
  | "two at once";

const NAMES: Who[] = [
  "alice",
  "bob",
  "admin",
  "alice's cookie",
  "key",
  "viewer",
  "nobody",
  "mangled",
  "two at once",
];

type Ask = { path: string; who: Who; method?: string; headers?: string[] };

const SETTLED = { from: "2025-06-13T00:00:00Z", to: "2025-06-20T00:00:00Z" };
const UP_TO_NOW = { from: "2025-06-13T00:00:00Z", to: "2025-06-20T12:10:00Z" };
const rest = ({ from, to }: typeof SETTLED, more = "") =>
  `/app/api/user/usage-stats?startTime=${Date.parse(from) / 1000}&endTime=${Date.parse(to) / 1000 - 1}${more}`;
const everyones = rest(SETTLED).replace("usage-stats", "admin/user-stats");
const trpc = (names: string, input: unknown, batch = "") =>
  `/trpc/${names}?${batch}input=${encodeURIComponent(JSON.stringify(input))}`;

const PATHS: Record<string, string> = {
  "a settled range": rest(SETTLED),
  "a range up to now": rest(UP_TO_NOW),
  "Bob's": rest(SETTLED, `&userDid=${BOB}`),
  "everyone's": everyones,
  "without the cache": rest(SETTLED, "&noCache=true"),
  "a parameter that is none": rest(SETTLED, "&bom=true"),
  "times that are none": "/app/api/user/usage-stats?startTime=x&endTime=y",
  "a settled range by tRPC": trpc("usageStats", SETTLED),
  "a range up to now by tRPC": trpc("usageStats", UP_TO_NOW),
  "everyone's by tRPC": trpc("admin.usageStats", SETTLED),
  "a batch of one": trpc("usageStats", { 0: SETTLED }, "batch=1&"),
  "a batch of two": trpc("usageStats,usageStats", { 0: SETTLED, 1: UP_TO_NOW }, "batch=1&"),
  "without the cache by tRPC": trpc("usageStats", { ...SETTLED, noCache: true }),
  "an input that is none": "/trpc/usageStats?input=%7B",
  "a URL that is too long": rest(SETTLED, `&x=${"x".repeat(9_000)}`),
};

const HEADERS: Record<string, string[]> = {
  "": [],
  "as CSV": ["accept", "text/csv"],
  "as JSON": ["accept", "application/json"],
  "from a page": ["origin", PAGE],
  "from another page": ["origin", "https://other.example"],
  packed: ["accept-encoding", "gzip, br"],
  "not from a cache": ["cache-control", "no-cache"],
  "if it is another": ["if-none-match", '"x"'],
  "as a stream": ["trpc-accept", "application/jsonl"],
  "through a proxy": ["x-forwarded-for", "1.2.3.4"],
};

let now = START;
let isDeaf = false;
const clock = { now: () => new Date(now) };
const hears = () => !isDeaf;
const MANY = 1_000_000;

async function openWorld(
  open: () => Promise<CacheAdapter>,
  answersAgain: boolean,
  read: number,
): Promise<World> {
  now = START;
  const metrics = createMetrics();
  const adapter = await open();
  const cache = adapter.cache(clock, metrics.onCacheEvent, hears);
  const server = await createTestServer({
    now: clock.now,
    cache,
    metrics,
    hears,
    answersAgain,
    trustedProxies: 1,
    corsOrigins: [PAGE],
    limits: createRateLimits(
      { budgets: { read, write: MANY, export: MANY }, address: MANY, failures: MANY },
      { shared: createInProcessLimiter(), local: createInProcessLimiter(), monotonic: () => 0 },
    ),
  });
  const http = await listen(server.fetch, { host: "127.0.0.1", port: 0 });
  const bearer = async (user: string, role: "user" | "admin" = "user") =>
    (await server.signed({ user, role })).headers.authorization;
  const world: World = {
    server,
    http,
    cache,
    adapter,
    metrics,
    keyId: "",
    who: {
      alice: ["authorization", await bearer(ALICE)],
      bob: ["authorization", await bearer(BOB)],
      admin: ["authorization", await bearer("did:abt:z1root", "admin")],
      "alice's cookie": ["cookie", `a=b; login_token=${(await bearer(ALICE)).slice("Bearer ".length)}`],
      key: [],
      viewer: [],
      nobody: [],
      mangled: ["authorization", "Basic YTpi"],
      "two at once": ["authorization", await bearer(ALICE), "authorization", await bearer(BOB)],
    },
  };
  const key = JSON.stringify({ name: "k", scopes: ["stats:read:any", "stats:read"] });
  const made = JSON.parse((await post(world, "/trpc/admin.keys.create", key)).body) as {
    result: { data: { json: { text: string; key: { id: string } } } };
  };
  const {
    text,
    key: { id },
  } = made.result.data.json;
  world.keyId = id;
  world.who.key = ["authorization", `Bearer ${text}`];
  const asked = await post(world, "/app/api/viewer-tokens", JSON.stringify({ userDid: ALICE }), "key");
  world.who.viewer = ["authorization", `Bearer ${(JSON.parse(asked.body) as { token: string }).token}`];
  for (const [i, user] of [ALICE, BOB, ALICE].entries()) await record(world, String(i), user);
  return world;
}

async function closeWorld({ server, http, adapter }: World): Promise<void> {
  await http.close();
  await server.close();
  await adapter.close();
}

type Answer = { status: number; headers: string[]; body: string };

function ask(
  { http, who }: World,
  { path, who: name, method = "GET", headers = [] }: Ask,
  body?: string,
): Promise<Answer> {
  const sent = [
    "host",
    "localhost",
    ...who[name],
    ...headers,
    ...(body === undefined
      ? []
      : ["content-type", "application/json", "content-length", String(Buffer.byteLength(body))]),
  ];
  return new Promise((resolve, reject) => {
    const request = send({ host: "127.0.0.1", port: http.port, path, method, headers: sent }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({
          status: response.statusCode!,
          headers: response.rawHeaders,
          body: Buffer.concat(chunks).toString("latin1"),
        }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const post = (world: World, path: string, body: string, who: Who = "admin") =>
  ask(world, { path, who, method: "POST" }, body);

/** A call that comes late: everything kept of its user changes. */
async function record(world: World, id: string, userDid: string): Promise<void> {
  const { callTime, ...call } = modelCall({ id, userDid, callTime: new Date("2025-06-19T10:00:00Z") });
  const { status } = await post(
    world,
    "/app/api/model-calls",
    JSON.stringify([{ ...call, callTime: callTime.toISOString() }]),
  );
  expect(status).toBe(200);
}

const UUID = /[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g;

/** What two answers must have in common: all but what differs between two answers of one server. */
function shown({ status, headers, body }: Answer): unknown {
  const named = Array.from({ length: headers.length / 2 }, (_, i) => [
    headers[2 * i]!.toLowerCase(),
    headers[2 * i + 1]!,
  ]);
  return {
    status,
    headers: named
      .filter(([name]) => name !== "date")
      .map(([name, value]) => [
        name,
        name === "ratelimit-reset" || name === "retry-after"
          ? "soon"
          : value!.replace(UUID, "id").replace(/dur=[\d.]+/g, "dur"),
      ]),
    body: inOneOrder(body.replace(UUID, "id").replace(/Try again in \d+ s/, "Try again")),
  };
}

/** The answers of a stream come as they are ready, numbered in that order. */
function inOneOrder(body: string): string {
  if (!body.startsWith('{"json":{"0":[[0],')) return body;
  const lines = body
    .split("\n")
    .map((line) => line.replace(/^\{"json":\[\d+,/, '{"json":[').replace(/,\d+\]\]\]\}$/, ",n]]]}"));
  return lines.toSorted().join("\n");
}

const LOOKUPS = /^usage_stats_cache_lookups_total.*$/gm;

describeCaches((open) => {
  describe("whatever was answered before", () => {
    let worlds: [World, World];
    let calls = 10;

    beforeAll(async () => {
      worlds = [await openWorld(open, true, MANY), await openWorld(open, false, MANY)];
    });
    afterAll(async () => {
      now = START;
      isDeaf = false;
      await Promise.all(worlds.map(closeWorld));
    });

    const both = <T>(task: (world: World) => Promise<T>) => Promise.all(worlds.map(task)) as Promise<[T, T]>;

    async function same(asked: Ask): Promise<Answer> {
      const [again, plain] = await both(async (world) => {
        const answer = await ask(world, asked);
        // What is kept is there for the next one.
        await world.cache.close();
        return answer;
      });
      expect(shown(again)).toEqual(shown(plain));
      return again;
    }

    const lookups = async ({ metrics }: World) => (await metrics.text()).match(LOOKUPS)?.toSorted();

    it("is answered by hits for everybody who may ask it", async () => {
      const hits: string[] = [];
      for (const who of ["alice", "alice's cookie", "viewer", "admin"] as const)
        for (const name of ["a settled range", "a settled range by tRPC", "a batch of one"]) {
          for (let i = 0; i < 2; i += 1) await same({ path: PATHS[name]!, who });
          const before = worlds.map(({ server }) => server.timesAsked());
          const { status, headers } = await same({ path: PATHS[name]!, who });
          expect(status).toBe(200);
          expect(worlds.map(({ server }, world) => server.timesAsked() - before[world]!)).toEqual([0, 1]);
          hits.push(headers[headers.indexOf("cache-status") + 1]!);
        }
      for (const hit of hits) expect(hit).toMatch(/; hit; ttl=/);
    });

    it("is answered as anything else, whoever asks in whatever way", async () => {
      for (const path of Object.values(PATHS))
        for (const who of NAMES) for (let i = 0; i < 3; i += 1) await same({ path, who });
      for (const headers of Object.values(HEADERS))
        for (const method of ["GET", "HEAD", "POST", "OPTIONS"])
          for (const path of [rest(SETTLED), trpc("usageStats", SETTLED)])
            await same({ path, who: "alice", method, headers });
      const [again, plain] = await both(lookups);
      expect(again).toEqual(plain);
    }, 120_000);

    it("is answered as anything else, whatever has happened meanwhile", async () => {
      const asking = fc.record({
        path: fc.constantFrom(...Object.values(PATHS).slice(0, -1)),
        who: fc.constantFrom(...NAMES),
        method: fc.constantFrom("GET", "GET", "GET", "HEAD"),
        headers: fc.constantFrom([], [], [], ...Object.values(HEADERS)),
      });
      const step = fc.oneof(
        { weight: 8, arbitrary: fc.record({ ask: asking, times: fc.constantFrom(1, 2, 3) }) },
        { weight: 1, arbitrary: fc.constantFrom(ALICE, BOB).map((user) => ({ record: user })) },
        {
          weight: 1,
          arbitrary: fc
            .constantFrom(1, 10 * 1_000, MINUTE, 20 * MINUTE, -20 * MINUTE)
            .map((ms) => ({ later: ms })),
        },
        { weight: 1, arbitrary: fc.boolean().map((deaf) => ({ deaf })) },
        { weight: 1, arbitrary: fc.constantFrom({ rebuild: true }) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          now = START;
          isDeaf = false;
          for (const one of steps) {
            if ("ask" in one) for (let i = 0; i < one.times; i += 1) await same(one.ask);
            else if ("record" in one) {
              calls += 1;
              await both((world) => record(world, String(calls), one.record));
            } else if ("later" in one) now += one.later;
            else if ("deaf" in one) isDeaf = one.deaf;
            else await both((world) => post(world, "/app/api/admin/rebuild", "{}"));
          }
          const [again, plain] = await both(lookups);
          expect(again).toEqual(plain);
        }),
        { numRuns: 15 },
      );
    }, 240_000);

    it("is made anew while changes are not heard of, and where the clock was set back", async () => {
      isDeaf = false;
      const madeOf = ({ headers }: Answer) => [
        headers[headers.indexOf("cache-status") + 1]!.split(";")[1],
        /\d+ statement/.exec(headers[headers.indexOf("server-timing") + 1]!)?.[0],
      ];
      for (const path of [rest(UP_TO_NOW), trpc("usageStats", UP_TO_NOW)]) {
        now = START + 40 * MINUTE;
        for (let i = 0; i < 3; i += 1) await same({ path, who: "alice" });
        expect(madeOf(await same({ path, who: "alice" }))).toEqual([" hit", "0 statement"]);
        isDeaf = true;
        expect(madeOf(await same({ path, who: "alice" }))).toEqual([" fwd=bypass", "1 statement"]);
        isDeaf = false;
        expect(madeOf(await same({ path, who: "alice" }))).toEqual([" hit", "0 statement"]);
        now = START;
        expect(madeOf(await same({ path, who: "alice" }))[1]).not.toBe("0 statement");
      }
    });

    it("is not answered to whose session is over, nor to whose key was revoked", async () => {
      now = START;
      isDeaf = false;
      const path = rest(SETTLED, `&userDid=${ALICE}`);
      for (const who of ["key", "viewer"] as const)
        for (let i = 0; i < 3; i += 1) expect((await same({ path, who })).status).toBe(200);
      await both((world) => post(world, "/trpc/admin.keys.revoke", JSON.stringify({ id: world.keyId })));
      for (const who of ["key", "viewer"] as const) expect((await same({ path, who })).status).toBe(401);
      expect((await same({ path, who: "alice" })).status).toBe(200);
      now = START + 61 * MINUTE;
      for (const who of ["alice", "alice's cookie"] as const)
        expect((await same({ path, who })).status).toBe(401);
    });
  });

  it("is refused to whoever has spent all that they may", async () => {
    const worlds = [await openWorld(open, true, 4), await openWorld(open, false, 4)];
    const statuses: number[] = [];
    for (let i = 0; i < 6; i += 1) {
      const [again, plain] = await Promise.all(
        worlds.map(async (world) => {
          const answer = await ask(world, { path: rest(SETTLED), who: "alice" });
          await world.cache.close();
          return answer;
        }),
      );
      expect(shown(again!)).toEqual(shown(plain!));
      statuses.push(again!.status);
    }
    expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
    await Promise.all(worlds.map(closeWorld));
  });
});
