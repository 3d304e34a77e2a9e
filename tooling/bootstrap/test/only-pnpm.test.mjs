import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";

const top = join(import.meta.dirname, "../../..");
const GUARD = join(top, "tooling/bootstrap/only-pnpm.mjs");

function guard(agent) {
  const env = { ...process.env, npm_config_user_agent: agent };
  const { status, stderr } = spawnSync(process.execPath, [GUARD], { env, encoding: "utf8" });
  return { status, stderr };
}

it("lets pnpm through, and whoever runs it by hand", () => {
  expect(guard("pnpm/12.21.0 npm/? node/v24.21.0 linux x64")).toEqual({ status: 0, stderr: "" });
  expect(guard(undefined)).toEqual({ status: 0, stderr: "" });
});

it.each(["npm/11.19.1 node/v20.20.2", "yarn/1.22.22 npm/?", "bun/1.4.5 npm/?"])(
  "stops %s with a sentence that says what to do",
  (agent) => {
    const { status, stderr } = guard(agent);
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(
      /^This workspace is installed by pnpm, and \w+ cannot do it: run npm start or npm test[^\n]*$/,
    );
  },
);

it("says how to undo what bun has written by then", () => {
  expect(guard("bun/1.4.5").stderr).toContain("git checkout package.json; rm -rf bun.lock node_modules");
});

it("has npm itself say so, which stops before any script", () => {
  const folder = mkdtempSync(join(tmpdir(), "usage-stats-npm-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  copyFileSync(join(top, "package.json"), join(folder, "package.json"));
  const env = {
    ...process.env,
    npm_config_registry: "http://127.0.0.1:9",
    npm_config_cache: join(folder, "cache"),
  };
  const { status, stderr } = spawnSync("npm", ["install"], { cwd: folder, env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain("there is no install step, run npm start or npm test");
  expect(readdirSync(folder).toSorted()).toEqual(["cache", "package.json"]);
});
