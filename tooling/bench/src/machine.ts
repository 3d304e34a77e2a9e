import { cpus, loadavg, totalmem } from "node:os";
import { type Pool } from "pg";

export type Machine = {
  cpu: string;
  cores: number;
  memoryGiB: number;
  node: string;
  postgres: string;
  load: number;
};

/** What the figures were measured on; `load` is what it was busy with before. */
export async function describeMachine(pool: Pool): Promise<Machine> {
  const { rows } = await pool.query<{ server_version: string }>("show server_version");
  return {
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.version,
    postgres: rows[0]!.server_version,
    load: Number(loadavg()[0]!.toFixed(2)),
  };
}
