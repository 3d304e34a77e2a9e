import { expect, it } from "vitest";
import { commandLine } from "./command-line.ts";
import { callLine } from "./ingest/import/inputs.ts";

it("runs MikroORM's migrations on the same database, and nothing else is said", async () => {
  const { run } = await commandLine();
  const mikroOrm = (...args: string[]) => run(["mikro-orm", ...args]);
  expect(await mikroOrm("migration:check")).toMatchObject({
    code: 1,
    out: "",
    err: expect.stringMatching(
      /^usage-stats: Not every migration has run: .*model-calls.*Run migration:up.*\n$/,
    ),
  });
  const up = await mikroOrm("migration:up");
  expect(up).toMatchObject({ code: 0, err: "" });
  expect(up.out).toMatch(/^\[migrator\] Processing/);
  expect(await mikroOrm("migration:check")).toMatchObject({
    code: 0,
    out: expect.stringContaining("No changes required"),
    err: "",
  });
  expect((await mikroOrm("migration:list")).out).toMatch(/20261123000001-model-calls/);
}, 90_000);

it.each([
  "schema:drop",
  "schema:fresh",
  "schema:create",
  "schema:update",
  "migration:fresh",
  "migration:rollup",
  "migration:unlog",
  "database:create",
  "database:import",
  "seeder:run",
  "generate-entities",
])("refuses %s by name, wherever it stands", async (command) => {
  const { run } = await commandLine();
  const refused = {
    code: 1,
    out: "",
    err: expect.stringMatching(
      new RegExp(`^usage-stats: mikro-orm ${command} is refused: .*migration:up.*\n$`),
    ),
  };
  expect(await run(["mikro-orm", "--quiet", command, "--run"])).toEqual(refused);
});

it("offers only what it does not refuse", async () => {
  const { run } = await commandLine();
  const { code, out } = await run(["mikro-orm", "--help"]);
  expect(code).toBe(0);
  expect(out).toContain("migration:up");
  expect(out).not.toContain("schema:drop");
});

it("never goes down as far as the calls, nor to a migration that there is not", async () => {
  const { run } = await commandLine();
  const imported = await run(["import", "-", "--quiet"], { stdin: callLine(1) });
  expect(imported).toMatchObject({ code: 0 });
  for (const args of [
    ["--to", "0"],
    ["--to=0"],
    ["-t", "0"],
    ["-t0"],
    ["--only", "20261123000001-model-calls"],
  ]) {
    expect(await run(["mikro-orm", "migration:down", ...args])).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^usage-stats: mikro-orm migration:down is refused: it would drop every call/,
      ),
    });
  }
  expect(await run(["mikro-orm", "migration:down", "--to", "2026112300005-acess"])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^usage-stats: --to 2026112300005-acess is no migration that has run/),
  });
  expect(await run(["mikro-orm", "migration:down"])).toMatchObject({ code: 0 });
  expect((await run(["import", "-", "--quiet"], { stdin: callLine(1) })).out).toMatch(/repeated 1/);
}, 120_000);
