import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";

const NOBODY = { account: { uid: 65_534, gid: 65_534 } };
const isRoot = process.getuid?.() === 0;
const ONE_SENTENCE = (what: string) => new RegExp(`^usage-stats: ${what}.*\\n$`);

describe("a data folder that cannot be used is one sentence on", () => {
  it("a lost password file", async () => {
    const { dataDir, run } = await commandLine();
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
    const { dataDir, run } = await commandLine();
    await mkdir(join(dataDir, "postgres"), { recursive: true });
    await writeFile(join(dataDir, "postgres", "PG_VERSION"), "15\n");
    expect((await run(["migrate"])).err).toMatch(ONE_SENTENCE(".*/postgres was made by PostgreSQL 15, and"));
  });

  it("a secret that is none", async () => {
    const { dataDir, run } = await commandLine();
    await mkdir(dataDir);
    await writeFile(join(dataDir, "auth-secret"), "short");
    expect((await run(["token", "--user", "did:abt:z1a"])).err).toMatch(
      ONE_SENTENCE(".*/auth-secret does not hold a secret; delete it"),
    );
  });

  it.runIf(isRoot)("a folder of somebody else's", async () => {
    const { dataDir, run } = await commandLine();
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
    const { folder, run } = await commandLine();
    await chmod(folder, 0o777);
    const migrated = await run(["migrate"], NOBODY);
    expect(migrated).toMatchObject({ code: 0, out: expect.stringMatching(/^applied /) });
  },
  60_000,
);

it("says in a sentence that the redis-server behind the stand-in does not run", async () => {
  const { folder, run } = await commandLine();
  const redis = join(folder, "redis-server");
  await writeFile(redis, "#!/bin/sh\necho broken library\nexit 1\n", { mode: 0o755 });
  const env = { CACHE: "bridge", PORT: "0", DEMO: "off", PATH: `${folder}:${process.env["PATH"]}` };
  const { code, err } = await run(["serve"], { env });
  expect(code).toBe(1);
  expect(err).toMatch(
    /^usage-stats: CACHE=bridge needs a redis-server that runs\. redis-server did not start:\nbroken library\n+$/m,
  );
  expect(err).not.toMatch(/^\s+at /m);
}, 60_000);
