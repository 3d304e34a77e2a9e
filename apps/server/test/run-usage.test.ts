import { usageStatsErrorOf } from "@usage-stats/client";
import { createCallWriter } from "@usage-stats/db";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { modelCall } from "./model-calls.ts";
import { createTestServer, type TestServer } from "./test-server.ts";

const ALICE = "did:abt:z1alice";
const BOB = "did:abt:z1bob";
const ROOT = { user: "did:abt:z1root", role: "admin" as const };
const at = (seconds: number) => new Date(Date.UTC(2025, 5, 20, 10, 0, seconds));

let server: TestServer;

beforeAll(async () => {
  server = await createTestServer();
  await createCallWriter(server.database.orm).record([
    modelCall({ id: "1", callTime: at(1), runId: "top", conversationId: "talk/1" }),
    modelCall({ id: "2", callTime: at(2), runId: "tool", parentRunId: "top", appDid: "app", credits: "0.2" }),
    modelCall({ id: "3", callTime: at(3), runId: "sub", parentRunId: "tool", conversationId: "talk/1" }),
    modelCall({ id: "4", callTime: at(4), conversationId: "talk/1" }),
    modelCall({ id: "5", callTime: at(5), runId: "top", userDid: BOB }),
  ]);
});
afterAll(() => server.close());

const refusal = (answer: Promise<unknown>) =>
  answer.then(
    () => "answered",
    (error: unknown) => usageStatsErrorOf(error)?.code,
  );
const summary = ({
  runs,
  totals,
}: {
  runs: { runId: string | null; parentRunId: string | null }[];
  totals: { calls: number; credits: string };
}) => [totals.calls, totals.credits, ...runs.map(({ runId, parentRunId }) => [runId, parentRunId])];

describe("what a run cost", () => {
  it("is said with all that it began, and the same over REST", async () => {
    const usage = await server.client({ user: ALICE }).runUsage({ runId: "top" });
    expect(summary(usage)).toEqual([3, "0.40000000", ["top", null], ["tool", "top"], ["sub", "tool"]]);
    const response = await server.get("/app/api/user/runs/top", { user: ALICE });
    expect(await response.json()).toEqual(usage);
  });

  it("is said of a conversation too, whatever is in its name", async () => {
    const usage = await server.client({ user: ALICE }).conversationUsage({ conversationId: "talk/1" });
    expect(summary(usage)).toEqual([3, "0.30000000", ["top", null], ["sub", "tool"], [null, null]]);
    const response = await server.get("/app/api/user/conversations/talk%2F1", { user: ALICE });
    expect(await response.json()).toEqual(usage);
  });

  it("is nothing where there is no such run", async () => {
    const usage = await server.client({ user: ALICE }).runUsage({ runId: "none" });
    expect(summary(usage)).toEqual([0, "0.00000000", ["none", null]]);
    expect((await server.client({ user: ALICE }).conversationUsage({ conversationId: "none" })).runs).toEqual(
      [],
    );
  });

  it("is one's own, or anyone's for those who may read anyone's", async () => {
    const bobs = { userDid: BOB, runId: "top" };
    expect((await server.client(ROOT).runUsage(bobs)).totals.calls).toBe(1);
    expect(await refusal(server.client({ user: ALICE }).runUsage(bobs))).toBe("forbidden");
    const other = await server.get(`/app/api/user/runs/top?userDid=${BOB}`, { user: ALICE });
    expect(other.status).toBe(403);
  });

  it("is of the apps alone that a viewer may see", async () => {
    const { token } = await server.client(ROOT).viewerTokens.create({ userDid: ALICE, appDids: ["app"] });
    const viewer = server.clientWith(token);
    expect(summary(await viewer.runUsage({ runId: "tool" }))).toEqual([1, "0.20000000", ["tool", "top"]]);
    expect((await viewer.runUsage({ runId: "top" })).totals.calls).toBe(1);
    expect((await viewer.conversationUsage({ conversationId: "talk/1" })).totals.calls).toBe(0);
  });

  it("is refused for a name that no run can have, and for parameters that there are not", async () => {
    expect(await refusal(server.client({ user: ALICE }).runUsage({ runId: "" }))).toBe("invalid_option");
    for (const path of [
      `runs/${"x".repeat(129)}`,
      "runs/a%00",
      "runs/top?runId=b",
      "runs/top?limit=1",
      "conversations/%00",
    ])
      expect((await server.get(`/app/api/user/${path}`, { user: ALICE })).status).toBe(400);
  });
});
