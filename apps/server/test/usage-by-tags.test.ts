import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter, rollUp } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const RANGE = { from: new Date("2025-06-20T00:00:00Z"), to: new Date("2025-06-21T00:00:00Z") };
const QUERY = "startTime=1750377600&endTime=1750463999";
const NOW = new Date("2025-07-01T00:00:00Z");

let server: TestServer;
const usage = (question: object) => server.client({ user: ALICE }).usageStats({ ...RANGE, ...question });
const everyones = (question: object) =>
  server.client({ user: BOB, role: "admin" }).admin.usageStats({ ...RANGE, ...question });

beforeAll(async () => {
  server = await createTestServer({ now: () => NOW, recordLimits: { tags: ["team", "project"] } });
  const call = (id: string, change: Parameters<typeof modelCall>[0]) => modelCall({ id, ...change });
  await createCallWriter(server.database.orm).record([
    call("1", { keyId: "k1", tags: { team: "search" } }),
    call("2", { keyId: "k1", tags: { project: "x", team: "search" } }),
    call("3", { keyId: "k2", tags: { team: "ads" } }),
    call("4", {}),
    call("5", { userDid: BOB, keyId: "k1", tags: { team: "search" } }),
  ]);
  await rollUp(server.database.orm);
});
afterAll(() => server.close());

describe("usage by key and tag", () => {
  it("has a group for each, and one for calls without any", async () => {
    const groupsBy = async (groupBy: string[]) =>
      (await usage({ groupBy })).groups!.items.map(({ key, metrics }) => [key, metrics.calls]);
    expect(await groupsBy(["key"])).toEqual([
      [{ key: "k1" }, 2],
      [{ key: "k2" }, 1],
      [{ key: null }, 1],
    ]);
    expect(await groupsBy(["tag.team"])).toEqual([
      [{ "tag.team": "search" }, 2],
      [{ "tag.team": "ads" }, 1],
      [{ "tag.team": null }, 1],
    ]);
    expect(await groupsBy(["key", "tag.project"])).toContainEqual([{ key: "k1", "tag.project": "x" }, 1]);
  });

  it.each([
    [{ keyIds: ["k1"] }, 2],
    [{ keyIds: ["k1", "k2"] }, 3],
    [{ tags: { team: ["search"] } }, 2],
    [{ tags: { team: ["ads", "search"] } }, 3],
    [{ tags: { team: ["search"], project: ["x"] } }, 1],
    [{ tags: { team: ["search"] }, keyIds: ["k2"] }, 0],
  ])("counts only what %j lets through, each time it is asked", async (filter, calls) => {
    for (const from of ["the database", "the cache"])
      expect([from, (await usage({ filter })).totals.calls]).toEqual([from, calls]);
  });

  it("counts the tags of all users together, also in rankings", async () => {
    const filter = { tags: { team: ["search"] } };
    expect((await everyones({ filter })).totals.calls).toBe(3);
    const { groups } = await everyones({ groupBy: ["tag.team"] });
    expect(groups!.items.map(({ key, metrics }) => [key["tag.team"], metrics.calls])).toEqual([
      ["search", 3],
      ["ads", 1],
      [null, 1],
    ]);
    const { admin } = server.client({ user: BOB, role: "admin" });
    const { items } = await admin.usageByUser({ ...RANGE, filter });
    expect(items.map(({ userDid, metrics }) => [userDid, metrics.calls])).toEqual([
      [ALICE, 2],
      [BOB, 1],
    ]);
  });

  it.each([
    ["keyId=k1", 2],
    ["keyId=k1&keyId=k2", 3],
    ["tag=team:search", 2],
    ["tag=team:ads&tag=team:search", 3],
    ["tag=team:search&tag=project:x", 1],
  ])("takes %s over REST, as JSON and as CSV", async (parameters, calls) => {
    for (const from of ["the database", "the cache"]) {
      const url = `/app/api/user/usage-stats?${QUERY}&${parameters}`;
      const json = await server.get(url, { user: ALICE });
      expect([from, await json.json()]).toMatchObject([from, { summary: { totalCalls: calls } }]);
      const { headers } = await server.signed({ user: ALICE });
      const csv = await server.request(url, { headers: { ...headers, accept: "text/csv" } });
      expect(await csv.text()).toContain(`2025-06-20,chatCompletion,${calls},`);
    }
  });

  it("takes tags of all users together over REST", async () => {
    const admin = { user: BOB, role: "admin" as const };
    const stats = await server.get(`/app/api/user/admin/user-stats?${QUERY}&tag=team:search`, admin);
    expect(await stats.json()).toMatchObject({ summary: { totalCalls: 3 } });
    const ranking = await server.get(`/app/api/admin/usage-by/app?${QUERY}&tag=team:search`, admin);
    expect(await ranking.json()).toMatchObject({ totals: { calls: 3 } });
  });
});

describe("refusals", () => {
  const refusal = async (attempt: Promise<unknown>) =>
    usageStatsErrorOf(
      await attempt.then(
        () => null,
        (reason: unknown) => reason,
      ),
    );
  const undeclared = {
    code: "invalid_option",
    message: 'There is no tag "cost": the declared tags are team, project.',
  };

  it("name a tag that is not declared, and the field", async () => {
    const { admin } = server.client({ user: BOB, role: "admin" });
    const filter = { tags: { cost: ["x"] } };
    expect(await refusal(usage({ groupBy: ["app", "tag.cost"] }))).toMatchObject({
      ...undeclared,
      field: "groupBy.1",
    });
    for (const attempt of [usage({ filter }), everyones({ filter }), admin.usageByApp({ ...RANGE, filter })])
      expect(await refusal(attempt)).toMatchObject({ ...undeclared, field: "filter.tags.cost" });
    const rest = await server.get(`/app/api/user/usage-stats?${QUERY}&tag=cost:x`, { user: ALICE });
    expect(rest.status).toBe(400);
    expect(await rest.json()).toMatchObject({ code: "invalid_option", field: "filter.tags.cost" });
  });

  it("tell that a key is one user's", async () => {
    const { admin } = server.client({ user: BOB, role: "admin" });
    const message = "A key is one user's: ask for one user's usage to group or filter by key.";
    expect(await refusal(everyones({ groupBy: ["key"] }))).toMatchObject({ field: "groupBy.0", message });
    const filter = { keyIds: ["k1"] };
    for (const attempt of [everyones({ filter }), admin.usageByUser({ ...RANGE, filter })])
      expect(await refusal(attempt)).toMatchObject({ field: "filter.keyIds", message });
  });

  it.each([
    { groupBy: ["tag.Team"] },
    { groupBy: ["tag."] },
    { groupBy: ["tag.x' or true --"] },
    { filter: { tags: {} } },
    { filter: { tags: { "x'": ["y"] } } },
    { filter: { tags: { team: [] } } },
    { filter: { keyIds: [] } },
  ])("come for %j, which says nothing", async (question) => {
    expect(await refusal(usage(question))).toMatchObject({ code: "invalid_option" });
  });
});
