import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bootstrap, checkout, put } from "./support/checkout.mjs";
import { registryOf } from "./support/registry.mjs";

const { platform, arch, report } = process;
const isMusl = platform === "linux" && !report.getReport().header.glibcVersionRuntime;
const NAME = `@pnpm/exe.${platform}-${arch}${isMusl ? "-musl" : ""}`;
const PNPM = `#!/bin/sh\necho "fetched pnpm $*"\nmkdir -p node_modules\n`;

/** A checkout on a host with another pnpm, which has to fetch one; what it fetches would run a script if it could. */
async function fetching(hashOf) {
  const registry = await registryOf(NAME, "12.21.0", {
    "package.json": JSON.stringify({
      name: NAME,
      version: "12.21.0",
      scripts: { postinstall: "touch $INIT_CWD/ran" },
    }),
    pnpm: PNPM,
  });
  const root = checkout({ main: "console.log('ran')", pnpmVersion: "11.0.0" });
  const integrity = hashOf(registry.integrity);
  const pnpm = { version: "12.21.0", integrity: integrity === undefined ? {} : { [NAME]: integrity } };
  put(
    root,
    "tooling/bootstrap/toolchain.json",
    JSON.stringify({ node: { version: "24.21.0", integrity: {} }, pnpm }),
  );
  const result = await bootstrap(root, ["usage-stats"], { env: registry.env }).result;
  return { root, result };
}

it("uses a fetched pnpm that has the expected hash, and runs none of its scripts", async () => {
  const { root, result } = await fetching((hash) => hash);
  expect(result).toMatchObject({ code: 0, stdout: "ran\n" });
  expect(result.stderr).toContain("fetched pnpm install --frozen-lockfile");
  expect(existsSync(join(root, "ran"))).toBe(false);
  expect(readdirSync(join(root, ".toolchain"))).toEqual(["pnpm-exe-12.21.0"]);
});

it("refuses a fetched pnpm that has another hash, and keeps nothing of it", async () => {
  const { root, result } = await fetching((hash) => `${hash.slice(0, -6)}AAAA==`);
  expect(result).toMatchObject({ code: 1, stdout: "" });
  expect(result.stderr).toMatch(/EINTEGRITY[^]*npm could not fetch @pnpm.*12\.21\.0/);
  expect(result.stderr).not.toContain("fetched pnpm");
  expect(readdirSync(join(root, ".toolchain"))).toEqual([]);
});

it("says so where a hash is not known", async () => {
  const { result } = await fetching(() => undefined);
  expect(result).toMatchObject({ code: 0, stdout: "ran\n" });
  expect(result.stderr).toContain(`has no hash of ${NAME}`);
});

it("uses the pnpm that an older checkout has fetched", async () => {
  const root = checkout({ main: "console.log('ran')", pnpmVersion: "11.0.0" });
  put(root, ".toolchain/pnpm-12.21.0/node_modules/.bin/pnpm", "");
  const env = { PATH: `${join(root, "bin")}:${process.env.PATH}` };
  const result = await bootstrap(root, ["usage-stats"], { env }).result;
  expect(result.stderr).not.toContain("Fetching");
});

it("says so when npm cannot fetch pnpm", async () => {
  const root = checkout({ pnpmVersion: "11.0.0" });
  const env = { npm_config_registry: "http://127.0.0.1:9", npm_config_fetch_retries: "0" };
  const result = await bootstrap(root, ["usage-stats"], { env }).result;
  expect(result).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`npm could not fetch ${NAME}@12.21.0`),
  });
  expect(readdirSync(join(root, ".toolchain"))).toEqual([]);
});

it("asks for the hashes of the pnpm that package.json asks for, and brings the Node of .node-version", async () => {
  const root = checkout({ packageJson: { packageManager: "pnpm@13.0.0" } });
  expect(await bootstrap(root, ["usage-stats"]).result).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/asks for pnpm 13\.0\.0.*hashes of 12\.21\.0/),
  });
  const top = join(import.meta.dirname, "../../..");
  const { packageManager } = JSON.parse(readFileSync(join(top, "package.json"), "utf8"));
  const { node, pnpm } = JSON.parse(readFileSync(join(top, "tooling/bootstrap/toolchain.json"), "utf8"));
  expect(packageManager).toBe(`pnpm@${pnpm.version}`);
  expect(readFileSync(join(top, ".node-version"), "utf8").trim()).toBe(node.version);
});
