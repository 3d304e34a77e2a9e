import { readFileSync, readdirSync } from "node:fs";
import { startTestPostgres } from "@usage-stats/dev-services/postgres";

export type OwnPostgres = {
  url: string;
  /** Stops every process of it, as a machine that hangs does; nothing is closed. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
};

/** A PostgreSQL that belongs to one test, which may be frozen. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const server = await startTestPostgres();
  const signal = (name: "SIGSTOP" | "SIGCONT") => {
    // The postmaster first, so that it starts no other meanwhile.
    process.kill(server.pid, name);
    for (const pid of childrenOf(server.pid)) {
      try {
        process.kill(pid, name);
      } catch {
        // It has ended by itself.
      }
    }
  };
  return {
    url: server.url,
    freeze: () => signal("SIGSTOP"),
    thaw: () => signal("SIGCONT"),
    async stop() {
      signal("SIGCONT");
      await server.stop("fast");
    },
  };
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc").flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // The name in parentheses may hold anything; the parent is the second field after it.
      const fields = readFileSync(`/proc/${entry}/stat`, "utf8").split(")").at(-1)!.trim().split(" ");
      return Number(fields[1]) === parent ? [Number(entry)] : [];
    } catch {
      return [];
    }
  });
}
