import { checkedOrmConfig } from "@usage-stats/db";
import { databaseUrlSetting } from "./env.ts";

// MikroORM's command line loads this file and wants a default export.
export default await checkedOrmConfig({ url: databaseUrlSetting(), silent: false });
