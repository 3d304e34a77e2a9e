import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "@usage-stats/dev-services/free-port";
import { vi } from "vitest";

/** Whether this machine has PgBouncer. */
export const hasPgbouncer = spawnSync("pgbouncer", ["--version"]).status === 0;

export type Pgbouncer = { url: string; stop(): Promise<void> };

/** Starts PgBouncer before a database, as it comes out of the box but for the mode. */
export async function startPgbouncer(
  databaseUrl: string,
  settings: { pool_mode: string } & Record<string, string | number>,
): Promise<Pgbouncer> {
  const { hostname, port, username, password, pathname } = new URL(databaseUrl);
  const name = pathname.slice(1);
  const listenPort = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-pgbouncer-"));
  await chmod(folder, 0o755);
  const users = join(folder, "users");
  await writeFile(users, `"${username}" ""\n`);
  const server = `host=${hostname} port=${port} dbname=${name} user=${username} password=${password}`;
  const all = {
    listen_addr: "127.0.0.1",
    listen_port: listenPort,
    auth_type: "trust",
    auth_file: users,
    unix_socket_dir: "",
    ...settings,
  };
  const lines = Object.entries(all).map(([key, value]) => `${key} = ${value}`);
  await writeFile(
    join(folder, "pgbouncer.ini"),
    `[databases]\n${name} = ${server}\n[pgbouncer]\n${lines.join("\n")}\n`,
  );
  const asNobody = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child: ChildProcess = spawn("pgbouncer", [...asNobody, join(folder, "pgbouncer.ini")], {
    stdio: "ignore",
  });
  await vi.waitFor(() => answers(listenPort), { timeout: 5_000 });
  return {
    url: `postgresql://${username}@127.0.0.1:${listenPort}/${name}`,
    async stop() {
      child.kill("SIGKILL");
      await once(child, "exit");
      await rm(folder, { recursive: true });
    },
  };
}

async function answers(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
  } finally {
    socket.destroy();
  }
}
