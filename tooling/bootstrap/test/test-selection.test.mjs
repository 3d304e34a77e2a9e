import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { selectTests } from "../test-selection.mjs";
import { checkout, put } from "./support/checkout.mjs";

/** A checkout with two packages that have tests and one that has none. */
function workspace() {
  const root = checkout();
  const tested = JSON.stringify({ scripts: { test: "vitest run" } });
  put(root, "packages/core/package.json", tested);
  put(root, "packages/core/test/days.test.ts", "");
  put(root, "packages/core/test/days/long.test.ts", "");
  put(root, "packages/db/package.json", tested);
  put(root, "packages/db/test/rows.test.ts", "");
  put(root, "tooling/bench/package.json", "{}");
  return root;
}

const select = (root, args, cwd = root) => selectTests({ root, cwd, args });

it("takes a file, a folder and a package each for exactly itself", () => {
  const root = workspace();
  const folder = join(root, "packages/core");
  const filtersOf = (path) => select(root, [path]).runs;
  expect(filtersOf("packages/core/test/days.test.ts")).toEqual([
    { folder, filters: [`${folder}/test/days.test.ts`] },
  ]);
  expect(filtersOf("packages/core/test/days")).toEqual([{ folder, filters: [`${folder}/test/days/`] }]);
  expect(filtersOf("packages/core/test/days.test.ts:12")).toEqual([
    { folder, filters: [`${folder}/test/days.test.ts:12`] },
  ]);
  expect(filtersOf("packages/core")).toEqual([{ folder, filters: [] }]);
});

it("runs each package once, also where several paths are in it", () => {
  const root = workspace();
  const { runs } = select(root, [
    "packages/core/test/days.test.ts",
    "packages/db/test/rows.test.ts",
    "packages/core/test/days",
  ]);
  const [core, db] = [join(root, "packages/core"), join(root, "packages/db")];
  expect(runs).toEqual([
    { folder: core, filters: [`${core}/test/days.test.ts`, `${core}/test/days/`] },
    { folder: db, filters: [`${db}/test/rows.test.ts`] },
  ]);
  expect(select(root, ["packages"]).runs).toEqual([
    { folder: core, filters: [] },
    { folder: db, filters: [] },
  ]);
});

it("runs a whole package that is named beside one of its files", () => {
  const root = workspace();
  const { runs } = select(root, ["packages/core/test/days.test.ts", "packages/core"]);
  expect(runs).toEqual([{ folder: join(root, "packages/core"), filters: [] }]);
});

it("finds paths from where the user stands, and from the root", () => {
  const root = workspace();
  const cwd = join(root, "packages/core");
  const expected = [{ folder: cwd, filters: [`${cwd}/test/days.test.ts`] }];
  expect(select(root, ["test/days.test.ts"], cwd).runs).toEqual(expected);
  expect(select(root, ["packages/core/test/days.test.ts"], cwd).runs).toEqual(expected);
});

it("passes flags and their values on, also a value that is the name of a folder", () => {
  const root = workspace();
  const path = "packages/core/test/days.test.ts";
  mkdirSync(join(root, "packages/days"));
  expect(select(root, [path, "-t", "packages/days", "--retry", "2"])).toMatchObject({
    runs: [{ folder: join(root, "packages/core") }],
    flags: ["-t", "packages/days", "--retry", "2"],
  });
  expect(select(root, ["-t", "in a year", path])).toMatchObject({ flags: ["-t", "in a year"] });
});

it("leaves arguments without a path to turbo", () => {
  const root = workspace();
  expect(select(root, [])).toBe(null);
  expect(select(root, ["--filter=@usage-stats/core"])).toBe(null);
  expect(select(root, ["--filter", "@usage-stats/core", "--force"])).toBe(null);
});

it("says in a sentence that a path does not exist, or is in no package with tests", () => {
  const root = workspace();
  expect(() => select(root, ["packages/core/test/dais.test.ts"])).toThrow(
    "There is no file or folder packages/core/test/dais.test.ts.",
  );
  expect(() => select(root, ["packages/core", "packages/cor"])).toThrow(
    "There is no file or folder packages/cor.",
  );
  expect(() => select(root, ["tooling/bench"])).toThrow("tooling/bench is in no package that has tests.");
});
