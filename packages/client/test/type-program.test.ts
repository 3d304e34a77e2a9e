import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const FORBIDDEN = ["@mikro-orm", "kysely", "pg", "@types/pg", "hono", "@hono", "@upstash"];

it("gives whoever installs the client no type of the database, the web framework or Redis to load", () => {
  const compiler = join(
    dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
    "bin/tsc",
  );
  const project = join(import.meta.dirname, "..");
  const files = execFileSync(process.execPath, [compiler, "-p", project, "--listFilesOnly"], {
    encoding: "utf8",
  })
    .trim()
    .split("\n");
  const packages = new Set(
    files.map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(file)?.[1]),
  );

  expect(files.length).toBeGreaterThan(100);
  expect(packages).toContain("@trpc/server");
  expect(
    [...packages].filter((name) =>
      FORBIDDEN.some((forbidden) => name === forbidden || name?.startsWith(`${forbidden}/`)),
    ),
  ).toEqual([]);
});
