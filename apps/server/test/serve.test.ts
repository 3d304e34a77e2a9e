import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRunningPostgres } from "@usage-stats/dev-services/postgres";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../src/main.ts");

type Running = { child: ChildProcess; url: string; text(): string; exit: Promise<number | null> };

let dataDir: string;
let children: ChildProcess[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "usage-stats-serve-"));
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  const left = await findRunningPostgres(join(dataDir, "data"));
  if (left) process.kill(left.pid, "SIGQUIT");
  await rm(dataDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** Runs the command line on the test's data folder. */
function usageStats(args: string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, ...args], {
    env: {
      PATH: process.env["PATH"],
      HOME: dataDir,
      DATA_DIR: join(dataDir, "data"),
      DEMO: "off",
      PORT: "0",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  children.push(child);
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const exit = once(child, "close").then(([code]) => code as number | null);
  return { child, url: "", text: () => text, exit };
}

async function serve(env?: Record<string, string>): Promise<Running> {
  const running = usageStats(["serve"], env);
  await expect.poll(running.text, { timeout: 30_000 }).toMatch(/Stop with/);
  return { ...running, url: /http:\/\/localhost:\d+/.exec(running.text())![0] };
}

describe("the server", () => {
  it("serves, keeps its data over a kill -9, and stops its database when it stops", async () => {
    const first = await serve();
    expect((await fetch(`${first.url}/ready`)).status).toBe(200);
    expect(await usageStats(["rollup"]).exit).toBe(0);
    first.child.kill("SIGKILL");
    await first.exit;
    expect(await findRunningPostgres(join(dataDir, "data"))).not.toBeNull();

    const second = await serve();
    expect((await fetch(`${second.url}/ready`)).status).toBe(200);
    second.child.kill("SIGTERM");
    expect(await second.exit).toBe(0);
    expect(await findRunningPostgres(join(dataDir, "data"))).toBeNull();
  }, 60_000);

  it("ends with everything that it started for CACHE=bridge", async () => {
    const server = await serve({ CACHE: "bridge" });
    expect(server.text()).toMatch(/cache: an Upstash REST bridge at http/);
    server.child.kill("SIGTERM");
    expect(await server.exit).toBe(0);
  }, 60_000);

  it("neither takes calls into the embedded database by mistake, nor hands out a token of a secret that is not its own", async () => {
    const meant = {
      NODE_ENV: "production",
      AUTH_SECRET: "hunter2 ".repeat(5),
      DATABASE_URI: "postgresql://hunter2@h/d",
    };
    for (const command of [["serve"], ["keys", "list"], ["migrate"], ["import", "-"]]) {
      const refused = usageStats(command, meant);
      expect(await refused.exit).toBe(1);
      expect(refused.text()).toBe(
        "settings: DATABASE_URI is set, which is none: did you mean DATABASE_URL?\nusage-stats: AUTH_SECRET is set, but no DATABASE_URL is set; set it, or EMBEDDED=on to really use the embedded demo database.\n",
      );
    }
    expect(await findRunningPostgres(join(dataDir, "data"))).toBeNull();
    const asked = await serve({ ...meant, EMBEDDED: "on" });
    expect(asked.text()).not.toMatch(/Bearer|hunter2/);
    expect(asked.text()).toMatch(/Make a token with/);
    asked.child.kill("SIGTERM");
    await asked.exit;
    expect((await serve()).text()).toMatch(/Bearer ey/);
  }, 60_000);

  it("refuses a data folder that another server uses, and that one goes on", async () => {
    const first = await serve();
    const second = usageStats(["serve"]);
    expect(await second.exit).toBe(1);
    expect(second.text()).toMatch(
      /Another usage-stats server is using this data folder .*process \d+.*DATA_DIR/,
    );
    expect((await fetch(`${first.url}/ready`)).status).toBe(200);
  }, 60_000);

  it("refuses a port that is in use, and says which to try", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    const refused = usageStats(["serve"], { PORT: String(port) });
    expect(await refused.exit).toBe(1);
    expect(refused.text()).toMatch(new RegExp(`Port ${port} is in use.*PORT=${port + 1}`));
    other.close();
  });

  it("ends, and says why, when its database is killed; the next start recovers", async () => {
    const first = await serve();
    process.kill((await findRunningPostgres(join(dataDir, "data")))!.pid, "SIGKILL");
    expect(await first.exit).toBe(1);
    expect(first.text()).toMatch(/usage-stats: The embedded database has stopped/);
    const second = await serve();
    expect((await fetch(`${second.url}/ready`)).status).toBe(200);
  }, 60_000);

  it("stops in order when it is told to while it starts", async () => {
    const starting = usageStats(["serve"], { DEMO: "on" });
    await expect.poll(starting.text, { timeout: 30_000 }).toMatch(/demo data/);
    starting.child.kill("SIGTERM");
    expect(await starting.exit).toBe(0);
    expect(await findRunningPostgres(join(dataDir, "data"))).toBeNull();
    const again = await serve({ DEMO: "on" });
    expect(again.text()).toMatch(/demo data: 200,000/);
  }, 90_000);
});

describe("a command", () => {
  it("starts the database when no server runs, and leaves none behind", async () => {
    const migrating = usageStats(["migrate"]);
    expect(await migrating.exit).toBe(0);
    expect(migrating.text()).toMatch(/^applied 2026/);
    const again = usageStats(["migrate"]);
    expect(await again.exit).toBe(0);
    expect(again.text()).toMatch(/nothing to do/);
    expect(await findRunningPostgres(join(dataDir, "data"))).toBeNull();
  }, 60_000);

  it("prints a token alone", async () => {
    const token = usageStats(["token", "--user", "did:abt:z1a", "--expires", "30m"]);
    expect(await token.exit).toBe(0);
    expect(token.text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    const wrong = usageStats(["token", "--user", "did:abt:z1a", "--expires", "soon"]);
    expect(await wrong.exit).toBe(1);
    expect(wrong.text()).toMatch(/^usage-stats: .*30m, 12h or 7d.*"soon"/);
  });

  it("says in one message what is wrong with the settings", async () => {
    const refused = usageStats(["serve"], { PORT: "http", DATABASE_URL: "postgresql://h/d" });
    expect(await refused.exit).toBe(1);
    expect(refused.text()).toMatch(/PORT: .*\n.*AUTH_SECRET: /);
  });
});
