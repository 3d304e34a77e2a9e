import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { findRunningPostgres } from "@usage-stats/postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const NOBODY = { uid: 65_534, gid: 65_534 };
const isRoot = process.getuid?.() === 0;

let folder: string;
let dataDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-stats-data-"));
  await chmod(folder, 0o755);
  dataDir = join(folder, "data");
});
afterEach(async () => {
  const left = await findRunningPostgres(dataDir).catch(() => null);
  if (left) process.kill(left.pid, "SIGQUIT");
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** What a command says on the test's data folder. */
async function run(args: string[], account = {}, env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    ...account,
    cwd: "/",
    env: { PATH: process.env["PATH"], HOME: "/nonexistent", DATA_DIR: dataDir, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: code as number | null, out, err };
}

const ONE_SENTENCE = (what: string) => new RegExp(`^usage-stats: ${what}.*\\n$`);

describe("a data folder that cannot be used is one sentence on", () => {
  it("a lost password file", async () => {
    expect((await run(["migrate"])).code).toBe(0);
    await rm(join(dataDir, "postgres-password"));
    expect(await run(["migrate"])).toEqual({
      code: 1,
      out: "",
      err: expect.stringMatching(
        ONE_SENTENCE(
          ".*/postgres exists but its password file .*/postgres-password is gone. Put it back, or move",
        ),
      ),
    });
  }, 60_000);

  it("a cluster of another major version", async () => {
    await mkdir(join(dataDir, "postgres"), { recursive: true });
    await writeFile(join(dataDir, "postgres", "PG_VERSION"), "15\n");
    expect((await run(["migrate"])).err).toMatch(ONE_SENTENCE(".*/postgres was made by PostgreSQL 15, and"));
  });

  it("a secret that is none", async () => {
    await mkdir(dataDir);
    await writeFile(join(dataDir, "auth-secret"), "short");
    expect((await run(["token", "--user", "did:abt:z1a"])).err).toMatch(
      ONE_SENTENCE(".*/auth-secret does not hold a secret; delete it"),
    );
  });

  it.runIf(isRoot)("a folder of somebody else's", async () => {
    await mkdir(dataDir, { mode: 0o700 });
    expect((await run(["migrate"], NOBODY)).err).toMatch(
      ONE_SENTENCE(
        ".*/data.* may not be read or written by this user \\(EACCES\\)\\. Set DATA_DIR to a folder",
      ),
    );
    expect((await run(["token", "--user", "did:abt:z1a"], NOBODY)).err).toMatch(
      ONE_SENTENCE(
        "The secret .* cannot be kept in .*auth-secret \\(EACCES\\)\\. Set AUTH_SECRET, or DATA_DIR",
      ),
    );
  });
});

it.runIf(isRoot)(
  "works as another user than the one who owns the checkout, in a folder of its own",
  async () => {
    await chmod(folder, 0o777);
    const migrated = await run(["migrate"], NOBODY);
    expect(migrated).toMatchObject({ code: 0, out: expect.stringMatching(/^applied /) });
  },
  60_000,
);
