import { Client } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { signSessionToken } from "@usage-stats/identity";
import { startOwnPostgres, type OwnPostgres } from "./own-postgres.ts";
import { type ServerProcess, serverProcesses } from "./server-process.ts";
import { AUTH_SECRET } from "./test-server.ts";

const NOW_S = Math.floor(Date.now() / 1000);
const RANGE = `startTime=${NOW_S - 86_400}&endTime=${NOW_S}`;
const SEARCH = `/app/api/user/model-calls?${RANGE}&search=zzz`;

let postgres: OwnPostgres;
let psql: Client;
let processes: Awaited<ReturnType<typeof serverProcesses>>;
let server: ServerProcess;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  psql = new Client({ connectionString: postgres.url });
  await psql.connect();
  processes = await serverProcesses({ DATABASE_URL: postgres.url, AUTH_SECRET, CACHE: "off" });
  server = await processes.serve();
  await makeSearchesSlow();
}, 60_000);
beforeEach(() => vi.waitUntil(async () => (await searching()) === 0, { timeout: 20_000 }));
afterAll(async () => {
  await psql.end();
  await processes.end();
  await postgres.stop();
});

/** Every search takes a second from now on: `strpos`, which only they use, sleeps once a statement. */
async function makeSearchesSlow(): Promise<void> {
  await psql.query(`
    insert into model_calls (user_did, id, call_time, provider_id, model, type, status, credits)
    select 'did:abt:z1user' || n, 'call', now() - interval '2 hours', 'p', 'm', 'custom', 'success', 0
      from generate_series(0, 20) as n`);
  await psql.query("create schema slow");
  await psql.query(`create function slow.strpos(text, text) returns int language sql volatile as
    'select pg_catalog.strpos($1, $2) from pg_sleep(1)'`);
  await psql.query("alter database usage_stats set search_path = public, slow, pg_catalog");
  // Connections that are made from now on have it.
  await psql.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'usage-stats lists'",
  );
}

/** How many searches the database runs. */
async function searching(): Promise<number> {
  const { rows } = await psql.query<{ n: number }>(
    "select count(*)::int as n from pg_stat_activity where state = 'active' and query like '%strpos(%' and pid <> pg_backend_pid()",
  );
  return rows[0]!.n;
}

async function get(
  path: string,
  n: number,
): Promise<{ status: number; retryAfter: string | null; body: unknown }> {
  const claims = { userDid: `did:abt:z1user${n}`, role: "user" as const };
  const token = await signSessionToken(AUTH_SECRET, claims, "1h", new Date());
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${token}` } });
  return {
    status: response.status,
    retryAfter: response.headers.get("retry-after"),
    body: await response.json(),
  };
}

/** What others want of the server meanwhile: everything but searching. */
async function others() {
  const key = await processes.key(["calls:write"]);
  const record = fetch(`${server.url}/app/api/model-calls`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify([
      {
        id: "new",
        userDid: "did:abt:z1user20",
        providerId: "p",
        model: "m",
        type: "custom",
        status: "success",
        callTime: new Date().toISOString(),
      },
    ]),
  });
  const [report, ready, recorded] = await Promise.all([
    get(`/app/api/user/usage-stats?${RANGE}`, 20),
    fetch(`${server.url}/ready`),
    record,
  ]);
  return { report: report.status, ready: ready.status, recorded: recorded.status };
}
const ALL_WELL = { report: 200, ready: 200, recorded: 200 };

describe("while one user searches a hundred times at once", () => {
  it("others' reports, lists, readiness, and calls with a key that is not known yet are answered in between", async () => {
    let answered = 0;
    const searches = Array.from({ length: 100 }, () => get(SEARCH, 0).finally(() => (answered += 1)));
    await vi.waitFor(async () => expect(await searching()).toBeGreaterThan(0));
    expect(await searching()).toBeLessThanOrEqual(2);
    expect((await get(`/app/api/user/model-calls?${RANGE}`, 20)).status).toBe(200);
    // Long before the searches are done, some of which are answered for having waited too long.
    const before = answered;
    expect(before).toBeLessThan(100);
    expect(await others()).toEqual(ALL_WELL);
    const answers = await Promise.all(searches);
    const refused = answers.filter(({ status }) => status === 429);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 429]));
    expect(refused.length).toBeGreaterThan(80);
    for (const { retryAfter, body } of refused) {
      expect(retryAfter).toBe("1");
      expect(body).toMatchObject({ code: "rate_limited", limit: "2 lists at once" });
    }
  }, 60_000);
});

describe("while twenty users search at once", () => {
  it("reports, readiness and calls are answered while all of them wait", async () => {
    const searches = Array.from({ length: 20 }, (_, n) => get(SEARCH, n));
    await vi.waitFor(async () => expect(await searching()).toBe(3));
    const first = Promise.race(searches.map((search) => search.then(() => "searched")));
    // The first searches take a second; keys are made by a process that takes about as long, so they come first.
    const report = get(`/app/api/user/usage-stats?${RANGE}`, 20).then(({ status }) => status);
    const ready = fetch(`${server.url}/ready`).then(({ status }) => status);
    expect(await Promise.race([first, Promise.all([report, ready])])).toEqual([200, 200]);
    expect(await others()).toEqual(ALL_WELL);
    const answers = await Promise.all(searches);
    for (const { status, retryAfter } of answers.filter((answer) => answer.status !== 200))
      expect({ status, retryAfter }).toEqual({ status: 503, retryAfter: "1" });
    expect(answers.some(({ status }) => status === 200)).toBe(true);
  }, 60_000);
});
