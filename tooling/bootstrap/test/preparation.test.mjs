import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { neededNode, runsTypeScript } from "../toolchain.mjs";
import { bootstrap, checkout, put } from "./support/checkout.mjs";

const installs = (root) => readFileSync(join(root, "pnpm-calls"), "utf8").trim().split("\n").length;

it.each([
  ["20.20.2", false],
  ["22.17.1", false],
  ["22.18.0", true],
  ["23.11.0", false],
  ["24.0.0", true],
  ["26.1.0", true],
])("Node %s runs the sources as they are: %s", (version, expected) => {
  expect(runsTypeScript(version)).toBe(expected);
});

it("asks for a newer Node where none can be fetched", () => {
  const host = { versions: { node: "20.1.0" }, platform: "darwin", arch: "arm64" };
  expect(() => neededNode({ root: "/nowhere", host })).toThrow(/darwin-arm64.*Install Node 22.18 or newer/);
  const alpine = { ...host, platform: "linux", arch: "x64", report: { getReport: () => ({ header: {} }) } };
  expect(() => neededNode({ root: "/nowhere", host: alpine })).toThrow(/musl.*Install Node 22.18 or newer/);
});

it("installs again only when the lockfile or a package.json changed", async () => {
  const root = checkout();
  const run = () => bootstrap(root, ["usage-stats"]).result;
  await run();
  await run();
  expect(installs(root)).toBe(1);
  put(root, "pnpm-lock.yaml", "second");
  await run();
  expect(installs(root)).toBe(2);
  put(root, "packages/new/package.json", "{}");
  await run();
  expect(installs(root)).toBe(3);
});

it("does not run the command after a failed install, and tries again next time", async () => {
  const root = checkout({ main: "console.log('ran')", pnpm: "mkdir -p node_modules; exit 3" });
  for (let attempt = 1; attempt <= 2; attempt += 1) {
    const result = await bootstrap(root, ["usage-stats"]).result;
    expect(result).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(/pnpm install failed.*git checkout pnpm-lock\.yaml/),
    });
  }
  expect(installs(root)).toBe(2);
});

it("ends by the signal that came during an install", async () => {
  const root = checkout({ pnpm: "exec sleep 20" });
  const { child, result } = bootstrap(root, ["usage-stats"]);
  await vi.waitUntil(() => existsSync(join(root, "pnpm-calls")), 10_000);
  child.kill("SIGTERM");
  expect(await result).toMatchObject({ code: null, signal: "SIGTERM" });
  expect(readdirSync(join(root, ".toolchain"))).toEqual([]);
});

it("installs once when two commands start at once, and says what the second waits for", async () => {
  const root = checkout({ main: "console.log('ran')", pnpm: "sleep 1; mkdir -p node_modules" });
  const results = await Promise.all([1, 2].map(() => bootstrap(root, ["usage-stats"]).result));
  expect(results.map(({ stdout }) => stdout)).toEqual(["ran\n", "ran\n"]);
  expect(results.filter(({ stderr }) => stderr.includes("WaitLimits for process"))).toHaveLength(1);
  expect(installs(root)).toBe(1);
});

it("takes over the lock of a bootstrap that was killed", async () => {
  const root = checkout({ main: "console.log('ran')" });
  put(root, ".toolchain/lock", String(spawnSync("true").pid));
  expect(await bootstrap(root, ["usage-stats"]).result).toMatchObject({ code: 0, stdout: "ran\n" });
});
