import { describe } from "vitest";
import { findRedisServer } from "../redis/find-redis-server.ts";

/** Tests that need a redis-server. Where there is none they are skipped, and say why. */
export function describeWithRedis(name: string, tests: () => void): void {
  const missing = findRedisServer() === null;
  describe.skipIf(missing)(`${name}${missing ? " (skipped: no redis-server on the PATH)" : ""}`, () => {
    tests();
  });
}
