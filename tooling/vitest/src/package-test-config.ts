import { join } from "node:path";
import { defineConfig, mergeConfig, type ViteUserConfig } from "vitest/config";

/**
 * The vitest configuration of one package. `npm test` sets TEST_RUN_DIR and sums the JSON reports it finds there.
 * @param name the package's short name, unique in the workspace: the report's file name.
 */
export function packageTestConfig(name: string, overrides: ViteUserConfig = {}): ViteUserConfig {
  const reports = process.env["TEST_RUN_DIR"];
  const shared = defineConfig({
    test: {
      name,
      include: ["test/**/*.test.ts"],
      testTimeout: 30_000,
      hookTimeout: 30_000,
      reporters: reports ? ["default", "json"] : ["default"],
      ...(reports ? { outputFile: { json: join(reports, `${name}.json`) } } : {}),
    },
  });
  return mergeConfig(shared, overrides);
}
