import { packageTestConfig } from "@usage-stats/vitest-config";

// Plain JavaScript, as the code it tests: that has to run before there is a TypeScript.
export default packageTestConfig("bootstrap", { test: { include: ["test/**/*.test.mjs"] } });
