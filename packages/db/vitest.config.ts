import { packageTestConfig } from "@usage-stats/vitest-config";

export default packageTestConfig("db", { test: { globalSetup: ["./src/testing/global-setup.ts"] } });
