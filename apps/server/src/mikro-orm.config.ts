import { checkedOrmConfig } from "@usage-stats/db";
import { readDatabaseUrl } from "./env.ts";

// MikroORM's command line loads this file and wants a default export.
export default await checkedOrmConfig({ url: readDatabaseUrl(), silent: false });
