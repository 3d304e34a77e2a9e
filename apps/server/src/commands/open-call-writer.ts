import { createUpstashCache, invalidatingWriter } from "@usage-stats/cache";
import { type CallWriter } from "@usage-stats/core";
import { createCallWriter, migrate, openDatabase } from "@usage-stats/db";
import { openDeployment } from "../data-folder/open-deployment.ts";
import { readSettings } from "../env.ts";
import { Closers } from "../serve/closers.ts";
import { type Settings } from "../settings/settings.ts";

const clock = { now: () => new Date() };

/** A call writer over this installation's database, migrated first, so that an import works before any server has run. */
export async function openCallWriter() {
  const settings = readSettings();
  const closers = new Closers();
  const close = () => closers.close();
  try {
    const deployment = await openDeployment(settings, "command");
    closers.add(deployment.close);
    const orm = await openDatabase({ url: deployment.databaseUrl, applicationName: "usage-stats import" });
    closers.add(() => orm.close());
    await migrate(orm, clock.now());
    return { callWriter: tellingCaches(createCallWriter(orm), settings, closers), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Servers that are running hear of late calls from the database; what a shared cache keeps may outlive them. */
function tellingCaches(callWriter: CallWriter, settings: Settings, closers: Closers): CallWriter {
  if (settings.cache.kind !== "upstash") return callWriter;
  const cache = createUpstashCache({ ...settings.cache, clock, ttlMs: settings.cacheTtlMs });
  closers.add(() => cache.close());
  return invalidatingWriter(callWriter, cache, clock);
}
