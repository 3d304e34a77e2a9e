import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { callLine } from "./inputs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "usage-stats-import-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  await writeFile(join(folder, name), content);
  return name;
}

type Run = { code: number | null; out: string; err: string };

/** Runs the command in the test's folder; `use` gets the running process. */
function runCommand(
  args: string[],
  use: (child: ChildProcess) => void = (child) => child.stdin!.end(),
  env: Record<string, string> = {},
): Promise<Run> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "program.ts"), "import", ...args], {
    cwd: folder,
    env: { ...process.env, ...env, NO_COLOR: "1" },
  });
  const run: Run = { code: null, out: "", err: "" };
  child.stdout.on("data", (text: Buffer) => (run.out += text.toString()));
  child.stderr.on("data", (text: Buffer) => (run.err += text.toString()));
  use(child);
  return new Promise((resolve) => child.on("close", (code) => resolve({ ...run, code })));
}

const calls = (length: number) => Array.from({ length }, (_, i) => `${callLine(i)}\n`).join("");

describe("import <file>", () => {
  it("records a file and says so in one line", async () => {
    const { code, out, err } = await runCommand([await fileOf("calls.ndjson", calls(1_234))]);
    expect(out).toMatch(
      /^read 1,234 {2}added 1,234 {2}repeated 0 {2}corrected 0 {2}rejected 0 {2}in \d+\.\d s\n$/,
    );
    expect(err).toBe("database closed\n");
    expect(code).toBe(0);
    expect(existsSync(join(folder, "calls.ndjson.rejects.ndjson"))).toBe(false);
  });

  it("records standard input, packed or not", async () => {
    expect((await runCommand(["-"], (child) => child.stdin!.end(calls(5)))).out).toMatch(
      /^read 5 {2}added 5 /,
    );
    expect((await runCommand(["-"], (child) => child.stdin!.end(gzipSync(calls(7))))).out).toMatch(
      /^read 7 {2}added 7 /,
    );
  });

  it("stops at a bad line, names it, and keeps it", async () => {
    const bad = callLine(9, { status: "done" });
    const { code, out, err } = await runCommand([
      await fileOf("calls.ndjson", `${calls(2)}${bad}\n${calls(5)}`),
    ]);
    expect(out).toMatch(/^read 3 {2}added 2 {2}repeated 0 {2}corrected 0 {2}rejected 1 {2}in /);
    expect(err).toMatch(
      /^calls\.ndjson, line 3: status must be one of processing, success, failed\. It is "done"\.\nStopped there; the lines before it are in\./,
    );
    expect(code).toBe(1);
    expect(JSON.parse(await readFile(join(folder, "calls.ndjson.rejects.ndjson"), "utf8"))).toEqual({
      line: 3,
      field: "status",
      reason: "status must be one of processing, success, failed.",
      input: bad,
    });
  });

  it("skips bad lines where asked to, and keeps them where asked to", async () => {
    const file = await fileOf("calls.ndjson", `{\n${calls(2)}7\n${calls(3)}`);
    const { code, out, err } = await runCommand([file, "--on-error", "skip", "--rejects", "bad.ndjson"]);
    expect(out).toMatch(/^read 7 {2}added 3 {2}repeated 2 {2}corrected 0 {2}rejected 2 {2}in /);
    expect(err).toMatch(/^2 rejected lines are in bad\.ndjson, each with its reason\.\n/);
    expect(code).toBe(1);
    const rejects = (await readFile(join(folder, "bad.ndjson"), "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as object);
    expect(rejects).toMatchObject([
      { line: 1, field: "", input: "{" },
      { line: 4, field: "", reason: "A call must be a JSON object.", input: "7" },
    ]);
  });

  it("keeps the rejected lines of standard input in import.rejects.ndjson", async () => {
    expect((await runCommand(["-", "--on-error", "skip"], (child) => child.stdin!.end("x"))).code).toBe(1);
    expect(await readFile(join(folder, "import.rejects.ndjson"), "utf8")).toMatch(
      /^\{"line":1,"field":"","reason":"The line is not JSON: .*","input":"x"\}\n$/,
    );
  });

  it("never writes rejected lines over what it reads", async () => {
    const file = await fileOf("calls.ndjson", "x\n");
    const { code, err } = await runCommand([file, "--rejects", "./calls.ndjson"]);
    expect(err).toBe(
      "usage-stats: Rejected lines would overwrite calls.ndjson itself. Name another file with --rejects.\n",
    );
    expect(code).toBe(1);
    expect(await readFile(join(folder, file), "utf8")).toBe("x\n");
  });

  it("writes what it has read on Ctrl-C, and ends with 130", async () => {
    const interrupt = (child: ChildProcess) => {
      child.stdin!.write(calls(1_500));
      child.stderr!.once("data", () => setTimeout(() => child.kill("SIGINT"), 300));
    };
    const { code, out, err } = await runCommand(["-"], interrupt, { TELL_BATCHES: "1" });
    expect(out).toMatch(/^read (1,\d{3}) {2}added \1 {2}repeated 0 {2}corrected 0 {2}rejected 0 /);
    expect(err).toMatch(
      /Interrupted after line 1,\d{3}\. Import the same again to go on: no call is counted twice\.\ndatabase closed\n$/,
    );
    expect(code).toBe(130);
  });

  it("says how far it got when the database fails", async () => {
    const { code, out, err } = await runCommand([await fileOf("calls.ndjson", calls(2_500))], undefined, {
      FAIL_AFTER: "1",
    });
    expect(out).toMatch(/^read 1,000 {2}added 1,000 /);
    expect(err).toBe(
      "database closed\nusage-stats: The import failed: Error: database gone\nEverything up to line 1,000 is in. Import the same again to go on: no call is counted twice.\n",
    );
    expect(code).toBe(1);
  });

  it("does not open the database where there is nothing to read", async () => {
    expect(await runCommand(["missing.ndjson"])).toEqual({
      code: 1,
      out: "",
      err: "usage-stats: There is no file missing.ndjson.\n",
    });
  });

  it("explains itself, and refuses what it does not know", async () => {
    expect((await runCommand(["--help"])).out).toMatch(/Examples:\n {2}usage-stats import calls\.ndjson\n/);
    expect((await runCommand(["x", "--on-error", "ignore"])).err).toMatch(/Allowed choices are stop, skip/);
  });
});
