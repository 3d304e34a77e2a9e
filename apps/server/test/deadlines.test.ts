import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { signSessionToken } from "@usage-stats/identity";
import { type OwnPostgres, startOwnPostgres } from "./own-postgres.ts";
import { AUTH_SECRET } from "./test-server.ts";
import { type ServerProcess, serverProcesses } from "./server-process.ts";

const ALICE = "did:abt:z1alice";
const CALL_TIME = new Date(Date.now() - 7_200_000).toISOString();
const DEADLINE_MS = 2_500;

let postgres: OwnPostgres;
let psql: Client;
let processes: Awaited<ReturnType<typeof serverProcesses>>;
let one: ServerProcess;
let other: ServerProcess;
let users: string[];
let key: string;

describe.skipIf(process.platform !== "linux")("a request's deadline", () => {
  beforeAll(async () => {
    postgres = await startOwnPostgres();
    psql = new Client({ connectionString: postgres.url });
    await psql.connect();
    processes = await serverProcesses({
      DATABASE_URL: postgres.url,
      AUTH_SECRET,
      REQUEST_DEADLINE_MS: String(DEADLINE_MS),
      DRAIN_MS: "0",
      CACHE: "off",
    });
    one = await processes.serve();
    other = await processes.serve();
    const tokens = Array.from({ length: 8 }, (_, i) =>
      signSessionToken(AUTH_SECRET, { userDid: `did:abt:z1user${i}`, role: "admin" }, "1h", new Date()),
    );
    users = await Promise.all(tokens);
    key = await processes.key(["calls:write"]);
  }, 90_000);
  afterAll(async () => {
    await psql.end();
    await processes.end();
    await postgres.stop();
  });

  const call = (id: string, change: Record<string, unknown> = {}) => ({
    id,
    userDid: ALICE,
    providerId: "p",
    model: "m",
    type: "custom",
    status: "success",
    callTime: CALL_TIME,
    totalUsage: 1,
    ...change,
  });
  const get = (server: ServerProcess, path: string, token = users[0]!) =>
    fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
  const send = (server: ServerProcess, calls: unknown[], query = "", signal: AbortSignal | null = null) =>
    fetch(`${server.url}/app/api/model-calls${query}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(calls),
      signal,
    });
  async function outcomeOf(answered: Promise<Response>): Promise<string> {
    const { results } = (await (await answered).json()) as { results: { outcome: string }[] };
    return results[0]!.outcome;
  }
  const range = () =>
    `startTime=${Math.floor(Date.now() / 1000) - 86_400}&endTime=${Math.floor(Date.now() / 1000)}`;
  const everything = (as = users[0]!): Record<string, Promise<Response>> => ({
    report: get(one, `/app/api/user/usage-stats?${range()}`, as),
    list: get(one, `/app/api/user/model-calls?${range()}`, as),
    ranking: get(one, `/app/api/admin/usage-by/user?${range()}`, as),
    write: send(one, [call("plain")]),
    "atomic write": send(one, [call("atomic")], "?atomic=true"),
  });
  async function statuses(asked: Record<string, Promise<Response>>) {
    const answers = await Promise.all(
      Object.entries(asked).map(async ([name, answer]) => {
        const { status, headers } = await answer;
        return [name, { status, retryAfter: headers.get("retry-after") }] as const;
      }),
    );
    return Object.fromEntries(answers);
  }
  const allWell = async () =>
    expect(Object.values(await statuses(everything())).map(({ status }) => status)).toEqual([
      200, 200, 200, 200, 200,
    ]);

  it("is kept while the database is frozen, and all is well once it goes on", async () => {
    await allWell();
    for (let round = 0; round < 2; round += 1) {
      postgres.freeze();
      try {
        const health = await fetch(`${one.url}/health`);
        expect(health.status).toBe(200);
        // More of each than there are connections.
        const all = await Promise.all(users.map((as) => statuses(everything(as))));
        for (const answers of all)
          for (const [name, answer] of Object.entries(answers))
            expect({ name, ...answer }).toEqual({ name, status: 503, retryAfter: "1" });
        // An answer is good for a second.
        const ready = async () => (await fetch(`${one.url}/ready`)).json();
        await expect
          .poll(ready, { timeout: 5_000 })
          .toMatchObject({ reasons: ["the database does not answer"] });
      } finally {
        postgres.thaw();
      }
      await expect.poll(async () => (await fetch(`${one.url}/ready`)).status, { timeout: 10_000 }).toBe(200);
      for (let i = 0; i < 3; i += 1) await Promise.all(Array.from({ length: 3 }, allWell));
    }
  }, 60_000);

  it("is kept while somebody locks the table", async () => {
    await psql.query("begin; lock table model_calls in access exclusive mode");
    try {
      const { ranking: _, report: __, ...reading } = everything();
      for (const [name, answer] of Object.entries(await statuses(reading)))
        expect({ name, ...answer }).toEqual({ name, status: 503, retryAfter: "1" });
    } finally {
      await psql.query("rollback");
    }
    await allWell();
  }, 30_000);

  it("keeps a write that was sent to a frozen database from being done when nobody waits for it", async () => {
    // Connections, partitions and the database's clock are known by now: the statement itself is all that is sent.
    await send(one, [call("warm")]);
    postgres.freeze();
    const late = send(one, [call("sent", { totalUsage: 1 })]);
    expect((await late).status).toBe(503);
    postgres.thaw();
    expect(await outcomeOf(send(other, [call("sent", { totalUsage: 1 })]))).toBe("added");
    expect(await outcomeOf(send(other, [call("sent", { totalUsage: 777 })]))).toBe("corrected");
    await allWell();
    const { rows } = await psql.query("select total_usage, revision from model_calls where id = 'sent'");
    expect(rows).toEqual([{ total_usage: "777", revision: 1 }]);
  }, 30_000);

  it("keeps what waits behind others from being sent once its client has left, so that a correction stays", async () => {
    await send(one, [call("warm")]);
    postgres.freeze();
    const queued = Array.from({ length: 20 }, (_, i) => send(one, [call(`queued-${i}`)]));
    const gone = AbortSignal.timeout(500);
    await expect(send(one, [call("x", { totalUsage: 1 })], "", gone)).rejects.toThrow("aborted");
    postgres.thaw();
    expect(await outcomeOf(send(other, [call("x", { totalUsage: 1 })]))).toBe("added");
    expect(await outcomeOf(send(other, [call("x", { totalUsage: 777 })]))).toBe("corrected");
    await Promise.all(queued);
    await allWell();
    const { rows } = await psql.query("select total_usage, revision from model_calls where id = 'x'");
    expect(rows).toEqual([{ total_usage: "777", revision: 1 }]);
  }, 30_000);

  it("or not, a call that has ended is not processing again", async () => {
    expect(await outcomeOf(send(one, [call("done")]))).toBe("added");
    expect(await outcomeOf(send(other, [call("done", { status: "processing", totalUsage: null })]))).toBe(
      "repeated",
    );
  });
});
