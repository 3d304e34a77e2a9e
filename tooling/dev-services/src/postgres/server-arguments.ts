import { statfsSync } from "node:fs";

/** `durable` survives a power cut; `relaxed` does not, and is for tests. */
export type Durability = "durable" | "relaxed";

/** The arguments of `postgres`, sized for a laptop. Everything is given here, so the cluster's own files stay untouched. */
export function serverArguments(options: {
  cluster: string;
  port: number;
  durability: Durability;
}): string[] {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: "100",
    shared_buffers: "256MB",
    work_mem: "32MB",
    max_wal_size: "2GB",
    jit: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    ...(isSharedMemorySmall() ? { dynamic_shared_memory_type: "sysv" } : {}),
    ...(options.durability === "relaxed"
      ? { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }
      : {}),
  };
  const pairs = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  return ["-D", options.cluster, "-p", String(options.port), ...pairs];
}

/** Docker gives /dev/shm 64 MB by default, which one parallel hash join can fill. */
function isSharedMemorySmall(): boolean {
  if (process.platform !== "linux") return false;
  try {
    const { bsize, blocks } = statfsSync("/dev/shm");
    return bsize * blocks < 1024 ** 3;
  } catch {
    return true; // No /dev/shm at all.
  }
}
