import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { type Database, openDatabase } from "../database.ts";
import { type DatabaseSettings } from "../orm-config.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

export const TEMPLATE = "usage_stats_template";

const SOURCES = {
  template: `template ${TEMPLATE}`,
  empty: "template template0",
  "C locale": "template template0 encoding 'UTF8' locale_provider libc locale 'C'",
};

export type TestDatabase = { url: string; orm: Database; close(): Promise<void> };

/** Makes a migrated, empty database of this test's own; `from: "empty"` gives one without any schema, and `from: "C locale"` one that knows ASCII's letters only. */
export async function createTestDatabase(
  options: Omit<DatabaseSettings, "url"> & { from?: "template" | "empty" | "C locale" } = {},
): Promise<TestDatabase> {
  const { from = "template", ...settings } = options;
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const server = new URL(inject("postgresUrl"));
  await administer(server, `create database ${name} ${SOURCES[from]}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  const orm = await openDatabase({ url: url.href, ...settings });
  return {
    url: url.href,
    orm,
    async close() {
      await orm.close();
      await administer(server, `drop database ${name} with (force)`);
    },
  };
}

async function administer(server: URL, sql: string): Promise<void> {
  const orm = await openDatabase({ url: server.href, poolSize: 1 });
  try {
    await orm.em.execute(sql);
  } finally {
    await orm.close();
  }
}
