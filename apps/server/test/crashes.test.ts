import { setTimeout as sleep } from "node:timers/promises";
import { createUsageClient } from "@usage-stats/client";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ServerProcess, serverProcesses } from "./server-process.ts";

const CRASHES = Number(process.env["LONG"] ?? 5);
const USER = "did:abt:z1crash";
const START = Date.now() - 7_200_000;

let processes: Awaited<ReturnType<typeof serverProcesses>>;

beforeEach(async () => {
  processes = await serverProcesses();
});
afterEach(() => processes.end());

/** The nth call; its usage tells it from all others, and a sum of them tells which are there. */
const call = (n: number) => ({
  id: `call-${n}`,
  userDid: USER,
  providerId: "p",
  model: `m${n % 3}`,
  type: "custom" as const,
  status: "success" as const,
  callTime: new Date(START + (n % 7_000) * 1_000).toISOString(),
  totalUsage: n,
});

it(
  `has every call that it acknowledged exactly once after ${CRASHES} crashes under load, and answers as adding them up does`,
  async () => {
    const key = await processes.key(["calls:write", "stats:read:any"]);
    const acknowledged = new Set<number>();
    const sent = new Set<number>();
    let next = 0;
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const server: ServerProcess = await processes.serve();
      const client = createUsageClient({ url: server.url, token: key });
      const killed = new AbortController();
      const senders = Array.from({ length: 4 }, async () => {
        while (!killed.signal.aborted) {
          const batch = Array.from({ length: 20 }, () => (next += 1));
          // What was not acknowledged is sent again, as a gateway does.
          const again = [...sent].filter((n) => !acknowledged.has(n)).slice(0, 20);
          const calls = [...again, ...batch];
          for (const n of calls) sent.add(n);
          try {
            const { rejected } = await client.modelCalls.record({ calls: calls.map(call) });
            expect(rejected).toBe(0);
            for (const n of calls) acknowledged.add(n);
          } catch (error) {
            if (!killed.signal.aborted) throw error;
          }
        }
      });
      await sleep(100 + Math.random() * 700);
      killed.abort();
      server.kill();
      await Promise.all(senders);
    }

    const server = await processes.serve();
    const client = createUsageClient({ url: server.url, token: key });
    const left = [...sent].filter((n) => !acknowledged.has(n));
    for (let i = 0; i < left.length; i += 500)
      await client.modelCalls.record({ calls: left.slice(i, i + 500).map(call) });
    const range = { from: new Date(START), to: new Date(START + 7_200_000), userDid: USER };
    const { totals, models } = await client.usageStats({ ...range, topN: 10 });
    expect(acknowledged.size).toBeGreaterThan(CRASHES * 20);
    expect(totals.calls).toBe(sent.size);
    expect(totals.totalUsage).toBe([...sent].reduce((sum, n) => sum + n, 0));
    for (const { model, metrics } of models.items)
      expect(metrics.calls).toBe([...sent].filter((n) => `m${n % 3}` === model).length);
    await server.stop();
  },
  60_000 + CRASHES * 15_000,
);
