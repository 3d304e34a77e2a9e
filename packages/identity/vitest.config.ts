import { packageTestConfig } from "@usage-stats/vitest-config";

export default packageTestConfig("identity");
