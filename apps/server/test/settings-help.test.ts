import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { describedSettings } from "../src/settings/described-settings.ts";
import { settingsHelp } from "../src/settings/settings-help.ts";

const names = describedSettings().map(({ name }) => name);

it("serve --help has every setting, its default and what it means", () => {
  const help = settingsHelp();
  expect(help).toMatch(/^ {2}PORT +3000 +where it listens$/m);
  expect(help).toMatch(/^ {2}DATA_DIR +\.data /m);
  expect(help).toMatch(/^ {2}DATABASE_URL +- /m);
  expect(names.filter((name) => !help.includes(`  ${name} `))).toEqual([]);
  expect(describedSettings().filter(({ about }) => about === "")).toEqual([]);
});

it("docs/operating.md has every setting in its table", () => {
  const docs = readFileSync(join(import.meta.dirname, "../../../docs/operating.md"), "utf8");
  const rows = docs.split("\n").filter((line) => line.startsWith("| `"));
  const documented = new Set(rows.flatMap((row) => row.split("|")[1]!.match(/[A-Z][A-Z_0-9]+/g) ?? []));
  expect(names.filter((name) => !documented.has(name))).toEqual([]);
});
