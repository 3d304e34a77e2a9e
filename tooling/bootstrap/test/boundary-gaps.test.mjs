import { join } from "node:path";
import { expect, it } from "vitest";
import { boundaryGaps } from "../boundary-gaps.mjs";
import { workspacePackages } from "../workspace-packages.mjs";
import { checkout, put } from "./support/checkout.mjs";

it("finds packages without a tag, and tags without a rule", () => {
  const root = checkout();
  put(root, "turbo.json", JSON.stringify({ boundaries: { tags: { core: {} } } }));
  put(root, "packages/core/turbo.json", JSON.stringify({ tags: ["core"] }));
  put(root, "packages/db/turbo.json", JSON.stringify({ tags: ["core", "db"] }));
  put(root, "packages/api/turbo.json", JSON.stringify({ extends: ["//"] }));
  for (const name of ["core", "db", "api", "client"]) put(root, `packages/${name}/package.json`, "{}");
  put(root, "packages/left-over/node_modules/.keep", "");
  expect(boundaryGaps(root).toSorted()).toEqual([
    'The tag "db" of packages/db has no rule in turbo.json.',
    "packages/api/turbo.json names no tag.",
    "packages/client/turbo.json names no tag.",
  ]);
});

it("finds none in this workspace, nor a package outside of its licence", async () => {
  const top = join(import.meta.dirname, "../../..");
  expect(boundaryGaps(top)).toEqual([]);
  for (const folder of [top, ...workspacePackages(top)]) {
    const { default: manifest } = await import(join(folder, "package.json"), { with: { type: "json" } });
    expect(manifest).toMatchObject({ license: "MIT", private: true });
  }
});
