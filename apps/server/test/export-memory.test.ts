import { createWriteStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createUsageClient } from "@usage-stats/client";
import { afterEach, expect, it } from "vitest";
import { serverProcesses } from "./server-process.ts";

const CALLS = Number(process.env["LONG"] ?? 1) * 50_000;
const USER = "did:abt:z1export";
const FROM = new Date("2026-01-01T00:00:00Z");
const TO = new Date("2026-03-01T00:00:00Z");
const QUERY = `startTime=${FROM.getTime() / 1000}&endTime=${TO.getTime() / 1000 - 1}&timezone=Asia/Kathmandu`;

const open: Awaited<ReturnType<typeof serverProcesses>>[] = [];

afterEach(async () => {
  for (const processes of open.splice(0)) await processes.end();
});

async function start() {
  const processes = await serverProcesses({ CACHE: "off" });
  open.push(processes);
  return processes;
}

function* lines(): Generator<string> {
  for (let n = 0; n < CALLS; n += 1)
    yield `${JSON.stringify({
      id: `call-${n}`,
      userDid: USER,
      providerId: "openai",
      model: n % 1000 === 0 ? '=cmd|"x"' : `model-${n % 7}`,
      type: "chatCompletion",
      status: n % 20 === 0 ? "failed" : "success",
      callTime: new Date(
        FROM.getTime() + Math.floor((n / CALLS) * (TO.getTime() - FROM.getTime())),
      ).toISOString(),
      inputTokens: n % 3_000,
      outputTokens: n % 500,
      credits: "0.00012345",
      errorReason: n % 20 === 0 ? 'it said "no",\nand left' : null,
    })}\n`;
}

/** Megabytes that a process has in memory; Linux tells. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024;
}

async function totalsOf(url: string, token: string) {
  const { totals, byType, models } = await createUsageClient({ url, token }).usageStats({
    from: FROM,
    to: TO,
    bucket: "none",
  });
  return { totals, byType, models };
}

it.skipIf(process.platform !== "linux")(
  `exports ${CALLS} calls without holding them, and takes them back to the same numbers`,
  async () => {
    const first = await start();
    const ndjson = join(first.folder, "calls.ndjson");
    await pipeline(Readable.from(lines()), createWriteStream(ndjson));
    await first.command(["import", ndjson, "--quiet"]);
    const server = await first.serve();
    const token = await first.token(USER);
    const expected = await totalsOf(server.url, token);
    expect(expected.totals.calls).toBe(CALLS);

    const csv = join(first.folder, "calls.csv");
    const before = await residentMegabytes(server.pid);
    const samples: { bytes: number; resident: number }[] = [];
    let bytes = 0;
    const watch = setInterval(() => {
      void residentMegabytes(server.pid).then((resident) => samples.push({ bytes, resident }));
    }, 20);
    const response = await fetch(`${server.url}/app/api/user/model-calls/export?${QUERY}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await pipeline(
      Readable.fromWeb(response.body as never),
      async function* (chunks: AsyncIterable<Uint8Array>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          yield chunk;
        }
      },
      createWriteStream(csv),
    );
    clearInterval(watch);
    const peak = (of: typeof samples) => Math.max(before, ...of.map(({ resident }) => resident));
    const [early, late] = [
      peak(samples.filter((sample) => sample.bytes < bytes / 2)),
      peak(samples.filter((sample) => sample.bytes >= bytes / 2)),
    ];
    console.log(
      `exported ${CALLS} calls, ${(bytes / 2 ** 20).toFixed(1)} MiB: ${before.toFixed(0)} MiB resident before, ${early.toFixed(0)} at the most in the first half, ${late.toFixed(0)} in the second`,
    );
    expect(peak(samples) - before).toBeLessThan(300);
    // A heap takes a while to find its size: only a long export tells whether it goes on growing.
    if (CALLS >= 500_000) expect(late).toBeLessThan(early * 1.25);
    await server.stop();

    const second = await start();
    await second.command(["import", csv, "--quiet"]);
    const other = await second.serve();
    expect(await totalsOf(other.url, await second.token(USER))).toEqual(expected);
    await other.stop();
  },
  60_000 + CALLS,
);
