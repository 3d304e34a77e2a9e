import { chmodSync, chownSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { bootstrap, checkout } from "./support/checkout.mjs";

const NOBODY = { uid: 65_534, gid: 65_534 };
// Only root can become somebody else.
const isRoot = process.getuid?.() === 0;

/** A bootstrap command as user nobody, of a checkout that belongs to root. */
function asNobody(root, args, env = {}) {
  chmodSync(root, 0o755);
  return bootstrap(root, args, {
    env: { HOME: "/nonexistent", npm_config_cache: undefined, ...env },
    account: NOBODY,
  }).result;
}

it.runIf(isRoot)(
  "runs in a checkout that somebody else has installed, and writes nothing into it",
  async () => {
    const root = checkout({ main: "console.log('ran as', process.getuid())" });
    expect(await bootstrap(root, ["usage-stats"]).result).toMatchObject({ code: 0, stdout: "ran as 0\n" });
    expect(await asNobody(root, ["usage-stats"])).toEqual({
      code: 0,
      signal: null,
      stdout: "ran as 65534\n",
      stderr: "",
    });
    expect(readdirSync(join(root, ".toolchain"))).toEqual([]);
  },
);

it.runIf(isRoot)("says in a sentence what to do in a checkout that is not installed", async () => {
  for (const hasToolchain of [false, true]) {
    const root = checkout({ main: "console.log('ran')" });
    if (hasToolchain) mkdirSync(join(root, ".toolchain"));
    const { code, stdout, stderr } = await asNobody(root, ["usage-stats"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr.trim()).toBe(
      `${root} may not be read or written by this user (EACCES). Something is still to be installed in it. Do that once as the user that owns it: npm run -s usage-stats -- --version`,
    );
  }
});

it.runIf(isRoot)("names a HOME that cannot be written when something could not be fetched", async () => {
  const root = checkout({ pnpm: "exit 1" });
  chownSync(root, NOBODY.uid, NOBODY.gid);
  expect((await asNobody(root, ["usage-stats"])).stderr).toMatch(
    /pnpm install failed.*\/nonexistent\/\.npm cannot be written.*set HOME to a folder/,
  );
});

it.runIf(isRoot)("names such a HOME before anything is fetched", async () => {
  const root = checkout({ pnpmVersion: "11.0.0" });
  chownSync(root, NOBODY.uid, NOBODY.gid);
  expect((await asNobody(root, ["usage-stats"])).stderr.trim()).toMatch(
    /^@pnpm\/exe\.\S+ 12\.21\.0 is to be fetched\. \/nonexistent\/\.npm cannot be written, .*: set HOME to a folder that this user can write\.$/,
  );
});
