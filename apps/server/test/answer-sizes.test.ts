import { createInProcessCache } from "@usage-stats/cache";
import { usageStatsErrorOf, type UsageStatsInput } from "@usage-stats/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = { user: "did:abt:z1alice" };
const HOUR = 3_600_000;
const from = new Date("2025-03-01T00:00:00Z");
const hours = (n: number) => ({ from, to: new Date(from.getTime() + n * HOUR) });
const GROUPS = 60;

let server: TestServer;

beforeAll(async () => {
  const clock = { now: () => new Date() };
  const cache = createInProcessCache({ clock, ttlMs: 600_000, maxBytes: 200_000_000, onEvent: () => {} });
  server = await createTestServer({ cache });
  const em = server.database.orm.em.fork();
  await em.execute("select ensure_model_calls_partition('2025-03-01')");
  // A call of each of the groups in each of 400 hours.
  await em.execute(
    `insert into model_calls (user_did, id, call_time, app_did, provider_id, model, type, status, metadata)
     select ?, h || ' ' || g, ?::timestamptz + h * interval '1 hour', 'did:abt:z1an-app-with-some-name-' || g, 'provider',
            'a-model-with-some-name-' || g, 'chatCompletion', 'success', jsonb_build_object('m', repeat('x', 3900))
       from generate_series(0, 399) h, generate_series(1, ?) g`,
    [ALICE.user, from, GROUPS],
  );
});
afterAll(() => server.close());

const trpc = (names: string, input: unknown) =>
  server.get(`/trpc/${names}?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`, ALICE);
/** The inputs of a batch. */
const numbered = (inputs: object[]) => Object.fromEntries(inputs.entries());
const query = (n: number, change: object = {}) => {
  const range = hours(n);
  return { from: range.from.toISOString(), to: range.to.toISOString(), bucket: "hour", ...change };
};
const outcomes = async (response: Response) =>
  ((await response.json()) as { error?: { json: { data: { appCode: string } } } }[]).map(
    ({ error }) => error?.json.data.appCode ?? "answered",
  );

describe("a question", () => {
  it("about too many buckets times groups is refused by name, and answered page by page", async () => {
    const client = server.client(ALICE);
    const large: UsageStatsInput = { ...hours(400), bucket: "hour", groupBy: ["model", "app"], topN: GROUPS };
    expect(await client.usageStats(large).catch(usageStatsErrorOf)).toMatchObject({
      code: "invalid_option",
      httpStatus: 400,
      field: "topN",
      limit: "20,000 buckets times groups",
    });
    let cells = 0;
    let cursor: string | null = null;
    do {
      const page = await client.usageStats({ ...large, limit: 300, ...(cursor !== null && { cursor }) });
      cells += page.series.flatMap(({ groups }) => groups!).length;
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(cells).toBe(400 * GROUPS);
  });

  it("as large as any may be has an answer of ten megabytes at the most", async () => {
    const input = query(400, { groupBy: ["model", "app"], topN: 49 });
    const response = await server.get(
      `/trpc/usageStats?input=${encodeURIComponent(JSON.stringify(input))}`,
      ALICE,
    );
    expect(response.status).toBe(200);
    const { length } = await response.text();
    expect(length).toBeGreaterThan(5_000_000);
    expect(length).toBeLessThan(10_000_000);
  });
});

describe("a batch", () => {
  const large = query(400, { groupBy: ["model"], topN: 40 });

  it("answers only as much as it may together, whether that is kept or not", async () => {
    const input = { 0: large, 1: large, 2: large, 3: query(3) };
    const names = "usageStats,usageStats,usageStats,usageStats";
    const expected = ["answered", "answered", "batch_too_large", "answered"];
    expect(await outcomes(await trpc(names, input))).toEqual(expected);
    const alone = await trpc("usageStats", { 0: large });
    expect(alone.headers.get("cache-status")).toContain("hit");
    expect(await outcomes(await trpc(names, input))).toEqual(expected);
  });

  it("of ten panels is answered", async () => {
    const panels = [
      ...Array.from({ length: 5 }, () => query(24 * 30, { bucket: "day", groupBy: ["model"] })),
      ...Array.from({ length: 5 }, () => query(24 * 92)),
    ];
    const response = await trpc(panels.map(() => "usageStats").join(","), numbered(panels));
    expect(await outcomes(response)).toEqual(panels.map(() => "answered"));
  });

  it("of lists of calls is bounded too", async () => {
    const list = { from: from.toISOString(), to: hours(400).to.toISOString(), limit: 200 };
    const lists = Array.from({ length: 5 }, () => list);
    const response = await trpc(lists.map(() => "modelCalls.list").join(","), numbered(lists));
    const text = await response.text();
    expect(text.length).toBeLessThan(5_000_000);
    expect(await outcomes(new Response(text))).toEqual([
      ...lists.slice(1).map(() => "answered"),
      "batch_too_large",
    ]);
  });
});
