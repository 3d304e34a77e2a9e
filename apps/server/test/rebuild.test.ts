import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter, rollUp, verifyRollups } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const admin = { user: "did:abt:z1root", role: "admin" as const };
let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
  const call = modelCall({ userDid: ALICE });
  await createCallWriter(server.database.orm).record([call, { ...call, id: "2", userDid: "did:abt:z1bob" }]);
  await rollUp(server.database.orm);
});
afterAll(() => server.close());

async function waiting(): Promise<number> {
  const rows = await server.database.orm.em.fork().execute<unknown[]>("select 1 from model_call_changes");
  return rows.length;
}

async function post(body: string, as: { user: string; role?: "user" | "admin" }) {
  const { headers } = await server.signed(as);
  const json = { "content-type": "application/json" };
  const response = await server.request("/app/api/admin/rebuild", {
    method: "POST",
    body,
    headers: { ...json, ...headers },
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("admin.rebuild", () => {
  it("says on a dry run what it would replace, and does nothing", async () => {
    const client = server.client(admin);
    expect(await client.admin.rebuild({ dryRun: true })).toEqual({
      users: 2,
      quarters: 2,
      rollupRows: 11,
      started: false,
    });
    expect(await client.admin.rebuild({ dryRun: true, userDid: ALICE })).toMatchObject({
      users: 1,
      quarters: 1,
      rollupRows: 2,
    });
    expect(
      await post('{"dryRun":true,"from":"2025-06-20T00:00:00Z","to":"2025-06-20T10:00:00Z"}', admin),
    ).toMatchObject({ status: 202, body: { quarters: 0 } });
    expect(await waiting()).toBe(0);
  });

  it("mends what is wrong once a worker has run, while answers are right from the first moment", async () => {
    await server.database.orm.em
      .fork()
      .execute(
        "update model_call_stats set calls = 77 where user_id in (select id from model_call_users where did in (?, ''))",
        [ALICE],
      );
    expect((await post("", admin)).body).toMatchObject({ users: 2, started: true });
    expect(await waiting()).toBeGreaterThan(0);
    await rollUp(server.database.orm);
    expect((await verifyRollups(server.database.orm)).differences).toEqual([]);
  });

  it("is refused to users, before its input is looked at", async () => {
    expect(await post("{not json", { user: ALICE })).toMatchObject({
      status: 403,
      body: { code: "forbidden" },
    });
    const refused = await server.client({ user: ALICE }).admin.rebuild({}).catch(usageStatsErrorOf);
    expect(refused).toMatchObject({ code: "forbidden", httpStatus: 403 });
  });

  it.each([
    ["{not json", "bad_json", "body"],
    ["[]", "invalid_option", "input"],
    ['{"from":"2025-06-20T00:00:00Z"}', "invalid_range", "to"],
    ['{"from":"2025-06-20T00:00:00Z","to":"2025-06-20T00:00:00Z"}', "invalid_range", "to"],
    ['{"everything":true}', "unknown_field", "everything"],
    ['{"dryRun":"yes"}', "invalid_option", "dryRun"],
  ])("refuses %s", async (body, code, field) => {
    expect(await post(body, admin)).toMatchObject({ status: 400, body: { code, field } });
    expect(await waiting()).toBe(0);
  });

  it("refuses a body that is too large", async () => {
    expect((await post("x".repeat(20_000), admin)).status).toBe(413);
  });
});
