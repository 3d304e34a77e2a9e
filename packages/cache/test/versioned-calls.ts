import { expect } from "vitest";
import { type SharedCache } from "../src/result-cache.ts";
import { ask } from "./ask.ts";

/** Stands for users' calls: each change gives a user the next version, and an answer is the user and the version it saw. */
export function createVersionedCalls(servers: readonly SharedCache[]) {
  const versions = new Map<string, number>();
  const answer = (userDid: string) => `${userDid} ${versions.get(userDid) ?? 0}`;
  return {
    answer,
    /** Changes a user's calls, and tells all servers, as the database does. */
    async change(userDid: string): Promise<void> {
      versions.set(userDid, (versions.get(userDid) ?? 0) + 1);
      await Promise.all(servers.map((server) => server.invalidate([userDid])));
    },
    /** Asks one server, which must be right; tells whether the cache answered, and how long it took (ms). */
    async ask(server: SharedCache, userDid: string): Promise<{ hit: boolean; durationMs: number }> {
      const started = performance.now();
      const { text, hit } = await ask(server, { kind: "version", userDid, fields: [] }, () =>
        answer(userDid),
      );
      const durationMs = performance.now() - started;
      expect(text).toBe(answer(userDid));
      return { hit, durationMs };
    },
  };
}
