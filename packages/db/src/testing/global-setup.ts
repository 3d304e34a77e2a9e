import { startTestPostgres } from "@usage-stats/dev-services/postgres";
import { type TestProject } from "vitest/node";
import { openDatabase } from "../database.ts";
import { migrate } from "../migrate.ts";
import { TEMPLATE } from "./test-database.ts";

/** Starts one PostgreSQL for a vitest run and migrates a template, from which each test file copies a database of its own. */
export async function setup({ provide }: TestProject): Promise<() => Promise<void>> {
  const postgres = await startTestPostgres();
  const admin = await openDatabase({ url: postgres.url, poolSize: 1 });
  await admin.em.execute(`create database ${TEMPLATE}`);
  await admin.close();
  const url = new URL(postgres.url);
  url.pathname = `/${TEMPLATE}`;
  const template = await openDatabase({ url: url.href, poolSize: 2 });
  await migrate(template, new Date());
  await template.close();
  provide("postgresUrl", postgres.url);
  return () => postgres.stop();
}
