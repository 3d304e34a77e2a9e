import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Scope } from "@usage-stats/core";
import { SignJWT } from "jose";
import { type Listening, startProgram } from "./start-program.ts";

const MAIN = join(import.meta.dirname, "../../../../apps/server/src/main.ts");
const runFile = promisify(execFile);
const SECRET = "a secret for the bench, of 32 bytes or more";

export type UsageServer = Listening & {
  /** The headers of a user of the demo, by rank. */
  signed(rank: number): Promise<{ authorization: string }>;
  /** The headers of a new API key. */
  withKey(scope: Scope): Promise<{ authorization: string }>;
};

/** The server as `npm start` runs it, with the demo's calls, in a folder that is removed afterwards. */
export async function startUsageServer(cache: "on" | "off"): Promise<UsageServer> {
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-bench-"));
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: folder,
    DATA_DIR: join(folder, "data"),
    AUTH_SECRET: SECRET,
    EMBEDDED: "on",
    PORT: "0",
    CACHE: cache,
    RATE_LIMITS: "off",
  };
  const server = await startProgram(MAIN, ["serve"], {
    env,
    ready: /usage-stats is ready at (http:\S+)[^]*Stop with/,
  });
  return {
    ...server,
    async signed(rank) {
      const token = await new SignJWT({ role: "user" })
        .setProtectedHeader({ alg: "HS256", typ: "JWT" })
        .setSubject(`did:abt:z1demo${String(rank).padStart(3, "0")}`)
        .setExpirationTime("12h")
        .sign(new TextEncoder().encode(SECRET));
      return { authorization: `Bearer ${token}` };
    },
    async withKey(scope) {
      const args = [MAIN, "keys", "create", "--name", "bench", "--scope", scope];
      const { stdout } = await runFile(process.execPath, args, { env });
      return { authorization: `Bearer ${stdout.trim()}` };
    },
    async stop() {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
