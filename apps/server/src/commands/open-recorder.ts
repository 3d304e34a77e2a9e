import { createCallRecorder, migrate, openDatabase } from "@usage-stats/db";
import { openDeployment } from "../data-folder/open-deployment.ts";
import { readSettings } from "../env.ts";

/** A recorder over this installation's database, migrated first, so that an import works before any server has run. */
export async function openRecorder() {
  const deployment = await openDeployment(readSettings(), "command");
  const orm = await openDatabase({ url: deployment.databaseUrl, applicationName: "usage-stats import" });
  const close = async () => {
    await orm.close();
    await deployment.close();
  };
  try {
    await migrate(orm, new Date());
  } catch (error) {
    await close();
    throw error;
  }
  return { recorder: createCallRecorder(orm), close };
}
