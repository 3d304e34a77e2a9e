import { fileURLToPath } from "node:url";
import { packageTestConfig } from "@usage-stats/vitest-config";

const globalSetup = fileURLToPath(import.meta.resolve("@usage-stats/db/testing/global-setup"));

export default packageTestConfig("server", { test: { globalSetup: [globalSetup] } });
