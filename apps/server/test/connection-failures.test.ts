import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");
const SECRET = "hunter2-hunter2";

let database: TestDatabase;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-stats-failures-"));
  database = await createTestDatabase({ from: "empty" });
});
afterAll(async () => {
  await database.close();
  await rm(folder, { recursive: true });
});

/** What a command says on standard error before it ends with 1. */
async function failureOf(args: string[], url: string, env: Record<string, string> = {}): Promise<string> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: {
      PATH: process.env["PATH"],
      HOME: folder,
      DATABASE_URL: url,
      AUTH_SECRET: "x".repeat(32),
      PORT: "0",
      ...env,
    },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end();
  let text = "";
  child.stdout.resume();
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const [code] = (await once(child, "close")) as [number];
  expect({ code, text }).toMatchObject({ code: 1 });
  expect(text).not.toContain(SECRET);
  expect(text).not.toMatch(/^\s+at |errno|severity/m);
  const said = text.trimEnd().replace(/^usage-stats: These settings are not right:\n {2}/, "usage-stats: ");
  expect(said.split("\n")).toHaveLength(1);
  return said;
}

const changed = (change: (url: URL) => void) => {
  const url = new URL(database.url);
  change(url);
  return url.href;
};

describe("a connection that cannot be made is one sentence", () => {
  it.each([["serve"], ["import", "-"], ["verify"], ["migrate"], ["keys", "list"], ["rollup"], ["rebuild"]])(
    "of %s %s",
    async (...args) => {
      const url = changed((given) => (given.port = "1"));
      expect(await failureOf(args.filter(Boolean), url)).toMatch(
        /^usage-stats: The database at 127\.0\.0\.1:1 does not answer \(ECONNREFUSED\)\. .*DATABASE_URL\.$/,
      );
    },
    20_000,
  );

  it.each<[string, (url: URL) => void, RegExp]>([
    [
      "an unknown host",
      (url) => (url.hostname = "nohost.invalid"),
      /There is no host "nohost\.invalid" to be found/,
    ],
    ["a wrong password", (url) => (url.password = SECRET), /does not take the password of "postgres"/],
    ["no password", (url) => (url.password = ""), /asks for a password, and DATABASE_URL has none/],
    ["a role that is not there", (url) => (url.username = "nobody"), /"nobody"/],
    ["TLS where there is none", (url) => url.searchParams.set("sslmode", "require"), /speaks no TLS/],
    [
      "a socket that is not there",
      (url) => url.searchParams.set("host", "/nowhere"),
      /There is no socket \/nowhere\/\.s\.PGSQL\.\d+/,
    ],
    [
      "a parameter",
      (url) => url.searchParams.set("schema", "x"),
      /the parameter schema, .*options=-csearch_path/,
    ],
  ])(
    "for %s",
    async (_what, change, sentence) => {
      expect(await failureOf(["migrate"], changed(change))).toMatch(sentence);
    },
    20_000,
  );

  it("for a database that is not there, which is not made", async () => {
    const url = changed((given) => (given.pathname = "/nosuch"));
    for (const command of [["migrate"], ["serve"], ["mikro-orm", "migration:up"]])
      expect(await failureOf(command, url)).toMatch(
        /There is no database "nosuch" on 127\.0\.0\.1:\d+\. Create it: createdb /,
      );
    expect(await database.orm.em.execute("select 1 from pg_database where datname = 'nosuch'")).toEqual([]);
  }, 30_000);

  it("for a password that is not escaped, of which nothing is shown", async () => {
    for (const password of [`${SECRET}@ss`, `${SECRET}/ss`, `s%${SECRET}`]) {
      const url = database.url.replace(/:[^:@]*@/, `:${password}@`);
      expect(await failureOf(["migrate"], url)).toMatch(
        /^usage-stats: DATABASE_URL: .*(percent-encoded|%25)/,
      );
    }
  }, 30_000);
});
