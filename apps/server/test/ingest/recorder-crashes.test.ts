import { setTimeout as sleep } from "node:timers/promises";
import { createCallRecorder, createUsageClient, type RecordedCall } from "@usage-stats/client";
import { freePort } from "@usage-stats/dev-services/free-port";
import { afterEach, expect, it } from "vitest";
import { serverProcesses } from "../server-process.ts";

const CRASHES = Number(process.env["LONG"] ?? 3);
const USER = "did:abt:z1crash";
const START = Date.now() - 7_200_000;

let processes: Awaited<ReturnType<typeof serverProcesses>> | undefined;
afterEach(() => processes?.end());

/** The nth call as it is in a version of it. */
const call = (n: number, version: number): RecordedCall => ({
  id: `call-${n}`,
  userDid: USER,
  providerId: "p",
  model: "m",
  type: "custom",
  status: "success",
  callTime: new Date(START + n * 100),
  totalUsage: n * 10 + version,
});

it(
  `a gateway's calls and corrections are all there, once and in their last version, after ${CRASHES} crashes of the server`,
  async () => {
    const port = await freePort();
    processes = await serverProcesses({ PORT: String(port) });
    const key = await processes.key(["calls:write", "stats:read:any"]);
    let failures = 0;
    const lost: unknown[] = [];
    const recorder = createCallRecorder({
      url: `http://127.0.0.1:${port}`,
      token: key,
      maxBatch: 50,
      flushMs: 5,
      retryMs: 20,
      longestRetryMs: 100,
      onRefused: (...told) => lost.push(told),
      onRejected: (...told) => lost.push(told),
      onError: () => (failures += 1),
    });

    const versions = new Map<number, number>();
    const ended = new AbortController();
    const gateway = (async () => {
      for (let made = 0; !ended.signal.aborted; made += 1) {
        // One in three corrects a call of a moment ago.
        const n = made % 3 === 2 ? Math.max(0, versions.size - 1 - (made % 40)) : versions.size;
        const version = (versions.get(n) ?? -1) + 1;
        if (version > 9) continue;
        versions.set(n, version);
        recorder.record(call(n, version));
        if (made % 5 === 0) await sleep(2);
      }
    })();
    for (let crash = 0; crash < CRASHES; crash += 1) {
      const server = await processes.serve();
      await sleep(200 + Math.random() * 500);
      server.kill();
    }
    const server = await processes.serve();
    ended.abort();
    await gateway;
    expect(await recorder.close({ timeoutMs: 30_000 })).toEqual({ unsent: 0 });

    expect(lost).toEqual([]);
    expect(failures).toBeGreaterThanOrEqual(CRASHES);
    const range = { from: new Date(START), to: new Date(START + 86_400_000), userDid: USER };
    const { totals } = await createUsageClient({ url: server.url, token: key }).usageStats(range);
    const expected = [...versions].reduce((sum, [n, version]) => sum + n * 10 + version, 0);
    expect(totals).toMatchObject({ calls: versions.size, totalUsage: expected });
    expect(versions.size).toBeGreaterThan(CRASHES * 100);
    await server.stop();
  },
  60_000 + CRASHES * 15_000,
);
