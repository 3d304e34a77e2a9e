import { setTimeout as sleep } from "node:timers/promises";
import { settledDays, daysUpToNow, restPath, trpcPath } from "./queries.ts";
import { type UsageServer } from "./usage-server.ts";

/** What requests cost the database. */
export type Work = { requests: number; statements: number; durationMs: number };

/** The statements of one request in each case: the first of its kind, and one a second later. */
export async function statementsByCase(server: UsageServer, now: Date) {
  const headers = await server.signed(1);
  const cases = [
    ["a settled range, REST", restPath(settledDays(now, 20))],
    ["a settled range, tRPC", trpcPath(settledDays(now, 20))],
    ["up to now, REST", restPath(daysUpToNow(now, 20))],
    ["up to now, tRPC", trpcPath(daysUpToNow(now, 20))],
  ] as const;
  const rows: { name: string; first: number; next: number }[] = [];
  for (const [name, path] of cases) {
    const first = await ask(`${server.url}${path}`, headers);
    await sleep(1_000);
    const next = await ask(`${server.url}${path}`, headers);
    rows.push({ name, first: first.statements, next: next.statements });
  }
  return rows;
}

const VIEWERS = 50;
const USERS = 10;
const MINUTE_MS = 60_000;
const EVERY_MS = 5_000;

/** Fifty viewers of ten users' pages of 30 days, each asking every five seconds for a minute; on all servers at the same time. */
export async function watchPages(
  servers: UsageServer[],
  range: (now: Date) => { from: Date; to: Date },
): Promise<Work[]> {
  const totals = servers.map((): Work => ({ requests: 0, statements: 0, durationMs: 0 }));
  const watch = async (viewer: number) => {
    const headers = await Promise.all(servers.map((server) => server.signed(viewer % USERS)));
    await sleep((viewer * EVERY_MS) / VIEWERS);
    for (let polled = 0; polled < MINUTE_MS / EVERY_MS; polled += 1) {
      const path = restPath(range(new Date()));
      await Promise.all(
        servers.map(async (server, i) => {
          const { statements, durationMs } = await ask(`${server.url}${path}`, headers[i]!);
          totals[i]!.requests += 1;
          totals[i]!.statements += statements;
          totals[i]!.durationMs += durationMs;
        }),
      );
      await sleep(EVERY_MS);
    }
  };
  await Promise.all(Array.from({ length: VIEWERS }, (_, viewer) => watch(viewer)));
  return totals;
}

/** What an answer says that it cost, in its `Server-Timing`. */
async function ask(url: string, headers: Record<string, string>): Promise<Omit<Work, "requests">> {
  const response = await fetch(url, { headers });
  await response.arrayBuffer();
  const timing = /db;desc="(\d+) statements?";dur=([\d.]+)/.exec(response.headers.get("server-timing") ?? "");
  if (response.status !== 200 || timing === null) throw new Error(`${url}: ${response.status}, no timing`);
  return { statements: Number(timing[1]), durationMs: Number(timing[2]) };
}
