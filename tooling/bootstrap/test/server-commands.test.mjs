import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { bootstrap, checkout } from "./support/checkout.mjs";

const COUNTS_SIGNALS = `
  import { writeFileSync } from "node:fs";
  const seen: string[] = [];
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => seen.push(name) === 1 && setTimeout(() => {
    writeFileSync("seen", seen.join()); console.log("last words"); process.exit(0);
  }, 700));
  writeFileSync("up", String(process.pid)); setInterval(() => undefined, 1000);`;

it("keeps stdout for the command, also while it installs", async () => {
  const root = checkout({ main: "console.log('TOKEN')" });
  const first = await bootstrap(root, ["usage-stats", "token"]).result;
  expect(first).toMatchObject({
    code: 0,
    stdout: "TOKEN\n",
    stderr: expect.stringContaining("pnpm install --frozen-lockfile"),
  });
  expect(await bootstrap(root, ["usage-stats", "token"]).result).toMatchObject({
    code: 0,
    stdout: "TOKEN\n",
    stderr: "",
  });
});

it("passes each command's arguments, and runs it where the user stood", async () => {
  const root = checkout({ main: "console.log(process.cwd(), process.argv.slice(2).join(' '))" });
  const cwd = join(root, "some", "folder");
  mkdirSync(cwd, { recursive: true });
  const here = realpathSync(cwd);
  expect((await bootstrap(root, ["start", "--x"], { cwd }).result).stdout).toBe(`${here} serve --x\n`);
  expect((await bootstrap(root, ["usage-stats", "import", "a.jsonl"], { cwd }).result).stdout).toBe(
    `${here} import a.jsonl\n`,
  );
  expect((await bootstrap(root, ["mikro-orm", "migration:up"], { cwd }).result).stdout).toBe(
    `${here} mikro-orm migration:up\n`,
  );
});

it("ends with the code of the command, or by its signal", async () => {
  const root = checkout({
    main: "process.argv[2] === 'die' ? process.kill(process.pid, 'SIGKILL') : process.exit(7)",
  });
  expect(await bootstrap(root, ["usage-stats", "exit"]).result).toMatchObject({ code: 7, signal: null });
  expect(await bootstrap(root, ["usage-stats", "die"]).result).toMatchObject({
    code: null,
    signal: "SIGKILL",
  });
});

it.each(["SIGINT", "SIGTERM", "SIGHUP"])(
  "passes a doubled %s on once and waits for the command to end",
  async (signal) => {
    const root = checkout({ main: COUNTS_SIGNALS });
    const { child, result } = bootstrap(root, ["start"]);
    await vi.waitUntil(() => existsSync(join(root, "up")), 10_000);
    child.kill(signal);
    setTimeout(() => child.kill(signal), 50);
    expect(await result).toMatchObject({ code: 0, signal: null, stdout: "last words\n" });
    expect(readFileSync(join(root, "seen"), "utf8")).toBe(signal);
  },
);

it("stops the command when the npm that called it is gone", async () => {
  const root = checkout({ main: COUNTS_SIGNALS });
  const env = {
    ...process.env,
    INIT_CWD: root,
    npm_lifecycle_event: "start",
    PATH: `${join(root, "bin")}:${process.env.PATH}`,
  };
  const script = `"${process.execPath}" "${root}/tooling/bootstrap/run.mjs" start & wait`;
  const shell = spawn("sh", ["-c", script], { cwd: root, env, stdio: "ignore" });
  await vi.waitUntil(() => existsSync(join(root, "up")), 10_000);
  shell.kill("SIGKILL");
  await vi.waitUntil(() => existsSync(join(root, "seen")), 10_000);
  expect(readFileSync(join(root, "seen"), "utf8")).toBe("SIGTERM");
});

it("names the commands there are when asked for another one", async () => {
  expect(await bootstrap(checkout(), ["strat"]).result).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("start, usage-stats"),
  });
});
