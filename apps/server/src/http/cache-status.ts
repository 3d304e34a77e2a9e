import { type CacheReport } from "@usage-stats/cache";

/**
 * `Cache-Status` (RFC 9211) of an answer. `hit`: from the cache, of a range that is not over only its history. `fwd=miss`: made
 * by the database and kept. `fwd=bypass`: made by the database alone, because the cache was not asked or did not answer.
 */
export function cacheStatus(report: CacheReport | null, now: Date): string {
  if (report === null) return "usage-stats; fwd=bypass";
  if (report.outcome !== "hit") return `usage-stats; fwd=${report.outcome}`;
  return `usage-stats; hit; ttl=${Math.floor((report.expiresAt! - now.getTime()) / 1000)}`;
}
