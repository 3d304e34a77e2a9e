import { type Database, openDatabase } from "@usage-stats/db";
import { type Deployment, openDeployment } from "../data-folder/open-deployment.ts";
import { readSettings } from "../env.ts";

/** Runs a command with the database and the secret at hand, and closes them whatever happens. */
async function withDeployment<T>(run: (deployment: Deployment) => Promise<T>): Promise<T> {
  const deployment = await openDeployment(readSettings(), "command");
  try {
    return await run(deployment);
  } finally {
    await deployment.close();
  }
}

/** The same with the database opened, and where it is; migrating prints nothing unless somebody is told. */
export function withDatabase<T>(
  run: (orm: Database, databaseUrl: string) => Promise<T>,
  onMigrating?: (progress: string) => void,
): Promise<T> {
  return withDeployment(async ({ databaseUrl }) => {
    const orm = await openDatabase({
      url: databaseUrl,
      applicationName: "usage-stats command",
      ...(onMigrating === undefined ? {} : { onMigrating }),
    });
    try {
      return await run(orm, databaseUrl);
    } finally {
      await orm.close();
    }
  });
}
