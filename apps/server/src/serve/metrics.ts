import { type CacheEvent } from "@usage-stats/cache";
import { type Ear } from "@usage-stats/db";
import { Counter, Gauge, Registry } from "prom-client";
import { type MetricsPage } from "../http/app.ts";
import { type SpanCounts } from "../ingest/record-spans.ts";

export type ServerMetrics = MetricsPage & {
  onCacheEvent(event: CacheEvent): void;
  /** A request could not be counted in Upstash, and was counted here. */
  onRateLimitFailure(): void;
  onSpans(counts: SpanCounts): void;
  /** Shows from now on whether the database's announcements are heard. */
  watchEar(ear: Ear): void;
  onDeaf(): void;
  /** How full the queue of the database's announcements is, from 0 to 1. */
  onQueueUsage(usage: number): void;
};

const BREAKER_STATES = ["closed", "half-open", "open"] as const;

/** Counts what happens, for Prometheus. */
export function createMetrics(): ServerMetrics {
  const registry = new Registry();
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name: `usage_stats_cache_${name}_total`, help, labelNames, registers: [registry] });
  // Since the page was last read: to find a counter by its labels costs as much as all else that is done to count.
  const looked = {
    hit: new Map<string, number>(),
    miss: new Map<string, number>(),
    bypass: new Map<string, number>(),
  };
  const lookups = new Counter({
    name: "usage_stats_cache_lookups_total",
    help: "Questions asked of the cache: hit, miss, or bypass if it could not answer.",
    labelNames: ["outcome", "kind"],
    registers: [registry],
    collect() {
      for (const [outcome, counts] of Object.entries(looked)) {
        for (const [kind, count] of counts) lookups.inc({ outcome, kind }, count);
        counts.clear();
      }
    },
  });
  const failures = counter("failures", "Operations of the store that failed or took too long.", [
    "operation",
  ]);
  const transitions = counter("breaker_transitions", "How often the circuit breaker changed to a state.", [
    "state",
  ]);
  const unreadable = counter("unreadable", "Values found in the store that were not what had been written.", [
    "why",
  ]);
  const tooLarge = counter("too_large", "Answers not kept because they are too large.", ["kind"]);
  const invalidations = counter(
    "invalidations",
    "Users whose cached answers became invalid: delivered, deferred, or abandoned once all had expired.",
    ["outcome"],
  );
  const breaker = new Gauge({
    name: "usage_stats_cache_breaker_state",
    help: "The state of the circuit breaker: 0 closed, 1 half-open, 2 open.",
    registers: [registry],
  });
  const uncounted = new Counter({
    name: "usage_stats_rate_limit_failures_total",
    help: "Requests that could not be counted in Upstash, and were counted in the process instead.",
    registers: [registry],
  });
  const spans = new Counter({
    name: "usage_stats_otlp_spans_total",
    help: "Spans received: recorded as calls, rejected, or ignored because they are no client's calls of models.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  const losses = new Counter({
    name: "usage_stats_ear_losses_total",
    help: "How often the database's announcements were not heard any more.",
    registers: [registry],
  });
  const queueUsage = new Gauge({
    name: "usage_stats_ear_queue_usage",
    help: "How full the database's queue of announcements is, from 0 to 1: at 1 every write fails.",
    registers: [registry],
  });
  for (const state of BREAKER_STATES) transitions.inc({ state }, 0);

  return {
    text: () => registry.metrics(),
    contentType: registry.contentType,
    onRateLimitFailure: () => uncounted.inc(),
    onSpans(counts) {
      for (const [outcome, count] of Object.entries(counts)) spans.inc({ outcome }, count);
    },
    watchEar(ear) {
      const gauge = (name: string, help: string, value: () => number) =>
        new Gauge({
          name: `usage_stats_ear_${name}`,
          help,
          registers: [registry],
          collect() {
            this.set(value());
          },
        });
      gauge(
        "state",
        "Whether the database's announcements are heard: 1, or 0 while nothing kept is given out.",
        () => Number(ear.hears()),
      );
      gauge(
        "seconds_since_proof",
        "Seconds since a nonce was sent that came back: for so long a change may be unknown. +Inf if none did.",
        () => (ear.sinceProofMs() ?? Number.POSITIVE_INFINITY) / 1000,
      );
    },
    onDeaf: () => losses.inc(),
    onQueueUsage: (usage) => queueUsage.set(usage),
    onCacheEvent(event) {
      switch (event.type) {
        case "lookup":
          looked[event.outcome].set(event.kind, (looked[event.outcome].get(event.kind) ?? 0) + 1);
          return;
        case "failure":
          return failures.inc({ operation: event.operation });
        case "breaker":
          transitions.inc({ state: event.state });
          return breaker.set(BREAKER_STATES.indexOf(event.state));
        case "unreadable":
          return unreadable.inc({ why: event.why });
        case "too_large":
          return tooLarge.inc({ kind: event.kind });
        case "invalidation":
          return invalidations.inc({ outcome: event.outcome }, event.count);
      }
    },
  };
}
