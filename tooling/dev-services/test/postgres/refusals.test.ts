import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findRunningPostgres, PostgresStartError, startPostgres } from "../../src/postgres/index.ts";
import { tempFolder } from "./support/temp-folder.ts";

it("refuses a cluster of another major version and names both", async () => {
  const { dataDir } = await tempFolder();
  mkdirSync(join(dataDir, "postgres"), { recursive: true });
  writeFileSync(join(dataDir, "postgres", "PG_VERSION"), "15\n");
  await expect(startPostgres({ dataDir, durability: "durable" })).rejects.toThrow(
    /made by PostgreSQL 15.*PostgreSQL 18/,
  );
});

it.each([
  [
    "half a copy of a cluster",
    (dataDir: string) => rmSync(join(dataDir, "postgres", "PG_VERSION")),
    /only a part/,
  ],
  [
    "an empty PG_VERSION",
    (dataDir: string) => writeFileSync(join(dataDir, "postgres", "PG_VERSION"), ""),
    /only a part of a PostgreSQL cluster.*move the folder away/,
  ],
])("says so of %s, and leaves it alone", async (_, damage, message) => {
  const { dataDir } = await tempFolder();
  await (await startPostgres({ dataDir, durability: "relaxed" })).stop();
  damage(dataDir);
  const before = readdirSync(join(dataDir, "postgres"));
  const refused = startPostgres({ dataDir, durability: "relaxed" });
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(PostgresStartError);
  expect(readdirSync(join(dataDir, "postgres"))).toEqual(before);
});

it("says in a sentence what the machine does not allow", async () => {
  const { path } = await tempFolder();
  const file = join(path, "file");
  writeFileSync(file, "");
  for (const dataDir of [file, join(file, "data")]) {
    const refused = startPostgres({ dataDir, durability: "relaxed" });
    await expect(refused).rejects.toThrow(
      /^\/.*file.* is .*no folder \((EEXIST|ENOTDIR)\)\. Set DATA_DIR to /,
    );
    await expect(refused).rejects.toBeInstanceOf(PostgresStartError);
  }
});

it("shows the end of the log when the server does not start", async () => {
  const { dataDir } = await tempFolder();
  await (await startPostgres({ dataDir, durability: "relaxed" })).stop();
  rmSync(join(dataDir, "postgres", "global", "pg_control"));
  await expect(startPostgres({ dataDir, durability: "relaxed" })).rejects.toThrow(
    /did not start.*\n[^]*pg_control/,
  );
});

it("says so when the cluster's password file is gone", async () => {
  const { dataDir } = await tempFolder();
  await (await startPostgres({ dataDir, durability: "relaxed" })).stop();
  rmSync(join(dataDir, "postgres-password"));
  await expect(startPostgres({ dataDir, durability: "relaxed" })).rejects.toThrow(/password file .* is gone/);
});

it("leaves no server behind when the password file does not fit the cluster", async () => {
  const { dataDir } = await tempFolder();
  await (await startPostgres({ dataDir, durability: "relaxed" })).stop();
  writeFileSync(join(dataDir, "postgres-password"), "wrong");
  await expect(startPostgres({ dataDir, durability: "relaxed" })).rejects.toThrow(
    /password authentication failed/,
  );
  expect(await findRunningPostgres(dataDir)).toBeNull();
});

it("refuses to call a running server durable when it does not sync to disk", async () => {
  const { dataDir } = await tempFolder();
  await startPostgres({ dataDir, durability: "relaxed" });
  await expect(startPostgres({ dataDir, durability: "durable" })).rejects.toThrow(/does not sync to disk/);
});
