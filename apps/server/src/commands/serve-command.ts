import { type Command } from "commander";
import { readSettings } from "../env.ts";
import { serve } from "../serve/serve.ts";

export function registerServe(program: Command): void {
  program
    .command("serve")
    .description("run the server; settings come from the environment")
    .addHelpText(
      "after",
      `
  PORT            3000               HOST            127.0.0.1
  DATA_DIR        .data              DEMO            on: fills an empty embedded database
  DATABASE_URL    your own Postgres  AUTH_SECRET     signs tokens; required with DATABASE_URL
  SESSION_COOKIE  login_token        ROLLUP_BATCH    2000
  AUTH_JWKS_URL   public keys that sign tokens, instead of AUTH_SECRET; AUTH_ISSUER, AUTH_AUDIENCE

  DATABASE_POOL_REPORTS   7    connections at the most; _LISTS 3, _INGEST 6, _IDENTITY 2, _WORKER 4, and two more
  DATABASE_POOL_WAIT_MS   2000 how long a request waits for one; REQUEST_DEADLINE_MS 15000 for everything together
  STATEMENTS_PER_IDENTITY 3    reads at once of one person or key
  DRAIN_MS                1000 requests are accepted so long after SIGTERM; SHUTDOWN_DEADLINE_MS 25000 ends it all

  RATE_LIMITS        on              off: nobody is limited; RATE_LIMIT_READS 120, _WRITES 600, _EXPORTS 6,
                                     _ADDRESS 6000, _FAILURES 10: all a minute
  TRUSTED_PROXIES    0               CORS_ORIGINS    origins whose pages may read answers

  CACHE              on              off, or bridge: a local stand-in for Upstash
  CACHE_MEMORY_MB    64              for answers kept in this process, where there is no Upstash
  CACHE_TTL_SECONDS  300             CACHE_DEADLINE_MS  50: how long Upstash may keep an answer waiting
  CACHE_WARMING      off             on: what was asked lately is asked again after a change
  UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN: a cache that several servers share`,
    )
    .action(async () => {
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => {
          // A second signal means now; the embedded database recovers from that.
          if (stop.signal.aborted) process.exit(1);
          stop.abort();
        });
      }
      await serve(readSettings(), stop.signal);
    });
}
