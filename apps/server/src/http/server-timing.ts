import { type DatabaseCost } from "@usage-stats/core";

/** `Server-Timing` of an answer: how many statements the database ran and how long they took, in milliseconds. */
export function serverTiming(costs: DatabaseCost[]): string | undefined {
  if (costs.length === 0) return undefined;
  const statements = costs.reduce((sum, cost) => sum + cost.statements, 0);
  const duration = costs.reduce((sum, cost) => sum + cost.durationMs, 0);
  return `db;desc="${statements} statement${statements === 1 ? "" : "s"}";dur=${duration.toFixed(1)}`;
}
