import { type CacheReport } from "@usage-stats/cache";
import { type DatabaseCost } from "@usage-stats/core";

/** `Server-Timing` of an answer: how many statements the database ran, and how long it and the cache took in milliseconds. */
export function serverTiming(costs: DatabaseCost[], cache: CacheReport | null): string {
  const statements = costs.reduce((sum, cost) => sum + cost.statements, 0);
  const duration = costs.reduce((sum, cost) => sum + cost.durationMs, 0);
  const db = `db;desc="${statements} statement${statements === 1 ? "" : "s"}";dur=${duration.toFixed(1)}`;
  return cache === null ? db : `${db}, cache;dur=${cache.durationMs.toFixed(1)}`;
}
