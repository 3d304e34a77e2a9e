import { mkdirSync, mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { makeLibraryLinks } from "../../src/postgres/library-links.ts";

it("makes the library links the package's install script was not allowed to make, once", () => {
  const root = mkdtempSync(join(tmpdir(), "usage-stats-links-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  mkdirSync(join(root, "native", "lib"), { recursive: true });
  writeFileSync(join(root, "native", "lib", "libpq.so.5.18"), "");
  const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
  writeFileSync(join(root, "native", "pg-symlinks.json"), JSON.stringify(links));
  makeLibraryLinks(root);
  makeLibraryLinks(root);
  expect(readlinkSync(join(root, "native", "lib", "libpq.so.5"))).toBe("libpq.so.5.18");
});
