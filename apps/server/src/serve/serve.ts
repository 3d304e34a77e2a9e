import {
  announceOver,
  createEar,
  closeDatabase,
  createUsageRepository,
  type Database,
  isEmpty,
  migrate,
  startRollupWorker,
  startScrubber,
} from "@usage-stats/db";
import { UsageStatsError } from "@usage-stats/core";
import { type Settings } from "../settings/settings.ts";
import { openDeployment } from "../data-folder/open-deployment.ts";
import { createFailureLog } from "../failures/failure-log.ts";
import { loadDemo } from "../demo/load-demo.ts";
import { publicKeys, secretKey } from "@usage-stats/identity";
import { problemDetails, problemHeaders, refusalOf, retryAfter } from "../http/problem.ts";
import { openShares } from "../limits/shares.ts";
import { lineOf } from "../rollups/difference-line.ts";
import { banner } from "./banner.ts";
import { createCacheWarmer } from "./cache-warmer.ts";
import { Closers } from "./closers.ts";
import { composeApp } from "./compose-app.ts";
import { hearChanges } from "./hear-changes.ts";
import { type Fetch, listen } from "./http-server.ts";
import { logCacheEvents } from "./log-cache-events.ts";
import { createMetrics } from "./metrics.ts";
import { openCache } from "./open-cache.ts";
import { openRateLimits } from "./open-rate-limits.ts";
import { openRequestPools, openWorkerPool, type Pools } from "./open-pools.ts";
import { keepPartitionsAhead } from "./partition-keeper.ts";

/** How long each part is waited for when it is closed, and the worker, which finishes its batch. */
const CLOSING_MS = 3_000;
const WORKER_MS = 5_000;

/**
 * Serves until `stop` aborts, then answers what is under way and closes everything in order, the embedded database included. Whatever
 * hangs is not waited for longer than `shutdown.deadlineMs`: then the process ends with 1.
 */
export async function serve(settings: Settings, stop: AbortSignal): Promise<void> {
  const clock = { now: () => new Date() };
  const closers = new Closers(CLOSING_MS);
  let isStopping = false;
  let isReady = false;
  const failures = createFailureLog(console.error);
  const stopped = new Promise<"stopped">((resolve) => {
    if (stop.aborted) resolve("stopped");
    stop.addEventListener("abort", () => resolve("stopped"));
  });

  let answer: Fetch = starting;
  const server = await listen((request, bindings) => answer(request, bindings), settings);

  async function start(): Promise<{ lost: Promise<never> }> {
    const deployment = await openDeployment(settings, "server");
    closers.add(deployment.close, null);

    const { databaseUrl: url, authSecret } = deployment;
    const workerDatabase = await openWorkerPool(url, settings.pools);
    const pools: Pools = { worker: workerDatabase, ...(await openRequestPools(url, settings.pools)) };
    closers.add(() => closePools(pools));
    for (const name of await migrate(workerDatabase, clock.now())) console.error(`applied migration ${name}`);
    if (settings.demo && deployment.embedded) await fillWithDemo(workerDatabase, clock.now(), stop);

    const repository = createUsageRepository(pools.reports);
    const metrics = createMetrics();
    const ear = createEar({ boundMs: settings.earMs, clock });
    metrics.watchEar(ear);
    const logEvent = logCacheEvents(console.error);
    const cache = await openCache(
      settings.cache,
      {
        clock,
        ttlMs: settings.cacheTtlMs,
        hears: ear.hears,
        onEvent: (event) => {
          metrics.onCacheEvent(event);
          logEvent(event);
        },
      },
      closers,
      console.error,
    );
    const warmer =
      cache !== null && settings.cacheWarming
        ? createCacheWarmer({ repository, cache, clock }, failures.background("warming the cache"))
        : null;
    if (warmer !== null) closers.add(warmer.close);

    const worker = startRollupWorker(workerDatabase, {
      batchSize: settings.rollupBatch,
      onError: failures.background("rolling up"),
    });
    closers.add(worker.stop, WORKER_MS);
    const scrubber = startScrubber(workerDatabase, {
      onDifference: (difference) => console.error(`rollups repaired: ${lineOf(difference)}`),
      onError: failures.background("scrubbing the rollups"),
    });
    closers.add(scrubber.stop, WORKER_MS);
    const { fetch, forgetKey } = composeApp({
      pools,
      shares: openShares(settings),
      requestDeadlineMs: settings.requestDeadlineMs,
      readinessFlags: [() => (isStopping ? "the server is stopping" : null)],
      recordLimits: settings.recordLimits,
      maxIngestBytes: settings.maxIngestBytes,
      repository,
      cache,
      metrics,
      clock,
      ...(warmer && { onQuery: warmer.onQuery }),
      checks: {
        keys:
          authSecret === null
            ? publicKeys(settings.authJwksUrl!, failures.background("fetching AUTH_JWKS_URL"))
            : secretKey(authSecret),
        issuer: settings.authIssuer,
        audience: settings.authAudience,
      },
      hears: ear.hears,
      sessionCookie: settings.sessionCookie,
      limits: openRateLimits(settings, clock, { metrics, log: console.error }),
      trustedProxies: settings.trustedProxies,
      corsOrigins: settings.corsOrigins,
      onSpans: metrics.onSpans,
      warn: console.error,
      onFailure: failures.request,
      onKeyUseLost: failures.background("noting that a key was used"),
    });
    const changes = hearChanges({
      url,
      ear,
      announce: announceOver(pools.identity, metrics.onQueueUsage),
      cache,
      forgetKey,
      wake: worker.wake,
      onInvalid: (userDid) => void warmer?.warm(userDid),
      onDeaf: metrics.onDeaf,
      log: console.error,
    });
    closers.add(changes.close);
    await Promise.race([changes.settled, stopped]);
    closers.add(keepPartitionsAhead(workerDatabase, clock, failures.background("making partitions ahead")));

    answer = fetch;
    isReady = true;
    const publicUrl = `http://${urlHost(settings.host)}:${server.port}`;
    const offersToken = deployment.embedded && settings.authSecret === undefined;
    console.log(await banner({ url: publicUrl, authSecret, offersToken, now: clock.now() }));
    return deployment;
  }

  const running = start();
  try {
    await Promise.race([stopped, running.then(({ lost }) => lost)]);
  } finally {
    if (stop.aborted) console.error("stopping …");
    const { drainMs, deadlineMs } = settings.shutdown;
    endAfter(deadlineMs);
    isStopping = true;
    await server.drain({
      acceptMs: stop.aborted && isReady ? drainMs : 0,
      graceMs: Math.max(0, deadlineMs - drainMs - WORKER_MS - CLOSING_MS),
    });
    // Whatever start-up was doing fails once its database closes; that is how it is stopped.
    await running.catch(() => {});
    await closers.close();
  }
}

async function closePools(pools: Pools): Promise<void> {
  await Promise.all(Object.values(pools).map(closeDatabase));
}

/** Ends the process after so long, unless nothing keeps it any more. */
function endAfter(ms: number): void {
  setTimeout(() => {
    console.error(`did not stop within ${ms} ms: ending anyway, which loses nothing that was acknowledged`);
    process.exit(1);
  }, ms).unref();
}

/** Fills an empty database with the demo. */
async function fillWithDemo(orm: Database, now: Date, stop: AbortSignal): Promise<void> {
  if (!(await isEmpty(orm))) return;
  await loadDemo(orm, now, (loaded, total) => {
    stop.throwIfAborted();
    if (loaded % 20_000 === 0 || loaded === total)
      console.error(`demo data: ${loaded.toLocaleString("en")} of ${total.toLocaleString("en")} calls`);
  });
}

function starting(): Response {
  const refusal = refusalOf(new UsageStatsError("unavailable", "The server is starting."));
  return Response.json(problemDetails(refusal), {
    status: refusal.status,
    headers: { ...problemHeaders(refusal), ...retryAfter(refusal.status, undefined) },
  });
}

function urlHost(host: string): string {
  if (host === "0.0.0.0" || host === "::" || host === "127.0.0.1") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}
