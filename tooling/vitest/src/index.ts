export { packageTestConfig } from "./package-test-config.ts";
