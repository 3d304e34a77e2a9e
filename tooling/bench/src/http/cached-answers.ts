import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Load, load } from "./load.ts";
import { startProgram } from "./start-program.ts";
import { type UsageServer } from "./usage-server.ts";
import { settledDays, restPath, trpcPath } from "./queries.ts";

const ROUNDS = 5;
const SECONDS = 3;

export type Share = { name: string; bytes: number; ours: Load; prebuilt: Load };

/** Cached answers beside Hono sending the same bytes, in turns. */
export async function compareKeptAnswers(
  server: UsageServer,
  now: Date,
  show: (text: string) => void,
): Promise<Share[]> {
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-prebuilt-"));
  const headers = await server.signed(0);
  const paths = { REST: restPath(settledDays(now, 30)), tRPC: trpcPath(settledDays(now, 30)) };
  const bodies: { name: string; path: string; file: string; bytes: number }[] = [];
  for (const [name, path] of Object.entries(paths)) {
    const bytes = await untilKept(`${server.url}${path}`, headers);
    const file = join(folder, name);
    await writeFile(file, bytes);
    bodies.push({ name, path, file, bytes: bytes.length });
  }
  const prebuilt = await startProgram(
    join(import.meta.dirname, "prebuilt-server.ts"),
    bodies.flatMap(({ name, file }) => [`/${name}`, file]),
    { env: { PATH: process.env["PATH"] ?? "" }, ready: /ready at (\S+)\// },
  );
  try {
    const loads = bodies.map((body) => ({ ...body, ours: [] as Load[], prebuilt: [] as Load[] }));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const { name, path, ours, prebuilt: others } of loads) {
        show(`cached answers: ${name}, round ${round + 1} of ${ROUNDS}`);
        others.push(await load({ url: `${prebuilt.url}/${name}`, pid: prebuilt.pid, headers }, SECONDS));
        ours.push(await load({ url: `${server.url}${path}`, pid: server.pid, headers }, SECONDS));
      }
    return loads.map(({ name, bytes, ours, prebuilt: others }) => ({
      name,
      bytes,
      ours: middle(ours),
      prebuilt: middle(others),
    }));
  } finally {
    await prebuilt.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Asks until the cache answers: what rolls up in the background changes what may be kept. */
async function untilKept(url: string, headers: Record<string, string>): Promise<Uint8Array> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    const response = await fetch(url, { headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (response.headers.get("cache-status")?.includes("; hit")) return bytes;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${url} is never kept`);
}

function middle(loads: Load[]): Load {
  return loads.toSorted((one, other) => one.perSecond - other.perSecond)[Math.floor(loads.length / 2)]!;
}
