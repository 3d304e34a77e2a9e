import { readFileSync } from "node:fs";
import autocannon from "autocannon";

/** What a server managed: answers a second, and its own processor time for one, in microseconds (`null` where Linux does not tell). */
export type Load = { perSecond: number; cpuMicros: number | null };

const CONNECTIONS = 16;
const TICK_MICROS = 10_000;

/** Asks the same again and again on a few connections. Throws if any answer was not 200. */
export async function load(
  target: { url: string; pid: number; headers: Record<string, string> },
  seconds: number,
): Promise<Load> {
  const before = cpuTicks(target.pid);
  const { requests, non2xx, errors } = await autocannon({
    url: target.url,
    headers: target.headers,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const after = cpuTicks(target.pid);
  if (non2xx + errors > 0) throw new Error(`${target.url}: ${non2xx} refusals and ${errors} errors`);
  return {
    perSecond: requests.average,
    cpuMicros: before === null || after === null ? null : ((after - before) * TICK_MICROS) / requests.total,
  };
}

/** Processor time of a process so far, user and system, in hundredths of a second (proc_pid_stat(5)). */
function cpuTicks(pid: number): number | null {
  if (process.platform !== "linux") return null;
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]!.split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
