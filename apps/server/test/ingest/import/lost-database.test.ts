import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { startTestPostgres } from "@usage-stats/dev-services/postgres";
import { Client } from "pg";
import { expect, it } from "vitest";
import { callLine } from "./inputs.ts";

const MAIN = join(import.meta.dirname, "../../../src/main.ts");

it("says in sentences why an import ended, and how far it got, when its database goes away", async () => {
  const postgres = await startTestPostgres();
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", MAIN, "import", "-"], {
    env: { PATH: process.env["PATH"], DATABASE_URL: postgres.url, AUTH_SECRET: "x".repeat(32) },
  });
  const said = Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  const lines = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, i) => `${callLine(from + i)}\n`).join("");
  child.stdin.write(lines(0, 1_000));
  // The database is open, and the first batch is in.
  await expect.poll(() => countOf(postgres.url), { timeout: 30_000 }).toBe(1_000);
  await postgres.stop();
  child.stdin.end(lines(1_000, 2_500));
  const [out, err, [code]] = await said;
  expect(code).toBe(1);
  expect(out).toMatch(/^read 1,000 {2}added 1,000 /);
  expect(err).toMatch(
    /^usage-stats: The database at 127\.0\.0\.1:\d+ .*\nEverything up to line 1,000 is in\. Import the same again/m,
  );
  expect(err).not.toMatch(/^\s+at |insert into/m);
}, 90_000);

async function countOf(url: string): Promise<number> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: string }>("select count(*) from model_calls");
    return Number(rows[0]!.count);
  } catch {
    return 0;
  } finally {
    await client.end();
  }
}
