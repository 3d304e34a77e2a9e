import { deepStrictEqual } from "node:assert/strict";
import { type Metrics, type UsageStats } from "@usage-stats/core";

/** What each peer adds up. They keep money as floats, and know neither types nor how long calls took. */
export const PEER_MEASURES = [
  "calls",
  "successCalls",
  "failedCalls",
  "inputTokens",
  "outputTokens",
  "cachedInputTokens",
  "credits",
] as const;

export type PeerSums = Record<(typeof PEER_MEASURES)[number], number>;

/** A UTC day, as `2026-11-25`, and its sums. */
export type PeerDay = PeerSums & { day: string };

/** A peer's answer: 30 days by day and by model (`provider/model`), and the 30 days before. */
export type PeerAnswer = {
  totals: PeerSums;
  previous: PeerSums;
  days: Map<string, PeerSums>;
  models: Map<string, number>;
};

/** Adds up days in JavaScript; those before `firstDay` are the period before. */
export function addUpDays(rows: PeerDay[], firstDay: string): Omit<PeerAnswer, "models"> {
  const [totals, previous] = [noSums(), noSums()];
  const days = new Map<string, PeerSums>();
  for (const row of rows) {
    if (row.day < firstDay) {
      addTo(previous, row);
      continue;
    }
    const sums = days.get(row.day) ?? noSums();
    days.set(row.day, sums);
    addTo(sums, row);
    addTo(totals, row);
  }
  return { totals, previous, days };
}

/** Adds up the calls of each model. */
export function addUpModels(rows: { model: string; calls: number }[]): Map<string, number> {
  const models = new Map<string, number>();
  for (const { model, calls } of rows) models.set(model, (models.get(model) ?? 0) + calls);
  return models;
}

/** Throws unless a peer's answer is ours: whole numbers equal, credits within a billionth, because floats round. */
export function checkPeerAnswer({ totals, previous, days, models }: PeerAnswer, ours: UsageStats): void {
  checkSums("all days", totals, ours.totals);
  checkSums("the days before", previous, ours.comparison!.totals);
  for (const { start, metrics } of ours.series) {
    const day = start.toISOString().slice(0, 10);
    checkSums(day, days.get(day) ?? noSums(), metrics);
  }
  deepStrictEqual(
    Object.fromEntries(models),
    Object.fromEntries(
      ours.models.items.map(({ providerId, model, metrics }) => [`${providerId}/${model}`, metrics.calls]),
    ),
  );
}

function checkSums(of: string, { credits, ...found }: PeerSums, expected: Metrics): void {
  const whole = PEER_MEASURES.filter((name) => name !== "credits");
  deepStrictEqual(
    { of, ...found },
    { of, ...Object.fromEntries(whole.map((name) => [name, expected[name]])) },
  );
  const wanted = Number(expected.credits);
  if (Math.abs(credits - wanted) > Math.max(1, wanted) * 1e-9)
    throw new Error(`${of}: ${credits} credits instead of ${wanted}`);
}

function addTo(sums: PeerSums, row: PeerSums): void {
  for (const name of PEER_MEASURES) sums[name] += row[name];
}

function noSums(): PeerSums {
  return Object.fromEntries(PEER_MEASURES.map((name) => [name, 0])) as PeerSums;
}
