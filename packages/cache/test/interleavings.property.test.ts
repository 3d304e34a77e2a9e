import fc from "fast-check";
import { expect, it } from "vitest";
import { type CacheStore } from "../src/cache-store.ts";
import { plainEnvelopes } from "../src/envelope.ts";
import { unguarded } from "../src/guard.ts";
import { createInProcessStore } from "../src/in-process-store.ts";
import { createResultCache, type SharedCache } from "../src/result-cache.ts";
import { ask } from "./ask.ts";
import { clock } from "./stores.ts";

const FAULTS = ["fails", "fails after it was done", "fails, and is done later", "is lost"] as const;
type Fault = (typeof FAULTS)[number] | "none";

const USERS = ["alice", "bob"];
const STEPS = ["read", "read", "change", "change all"];
const EAR_STEPS = ["read", "read", "read", "others change", "lose the ear", "hear again"];

const actorsWith = (steps: string[], most: number) =>
  fc.array(
    fc.record({
      server: fc.nat({ max: 1 }),
      user: fc.nat({ max: 1 }),
      steps: fc.array(fc.constantFrom(...steps), { minLength: 1, maxLength: most }),
    }),
    { minLength: 2, maxLength: 5 },
  );

/** A store whose every request and answer takes as long as the scheduler likes, and which fails as it is told. */
function createSlowStore(scheduler: fc.Scheduler, faults: Fault[]): CacheStore {
  const store = createInProcessStore({ maxBytes: 1_000_000 });
  async function slowly<T>(run: () => Promise<T>, lost: () => Promise<T>): Promise<T> {
    const fault = faults.shift() ?? "none";
    await scheduler.schedule(Promise.resolve(), "request");
    if (fault === "fails, and is done later") void scheduler.schedule(Promise.resolve(), "later").then(run);
    const answer = await (fault === "none" || fault === "fails after it was done" ? run() : lost());
    await scheduler.schedule(Promise.resolve(), "answer");
    if (fault.startsWith("fails")) throw new Error(fault);
    return answer;
  }
  return {
    read: (keys) =>
      slowly(
        async () => store.read(keys),
        async () => keys.map(() => null),
      ),
    ensure: (entries, ttlMs) =>
      slowly(
        () => store.ensure(entries, ttlMs),
        async () => entries.map(() => null),
      ),
    replace: (entries, ttlMs) =>
      slowly(
        () => store.replace(entries, ttlMs),
        async () => ({ before: entries.map(() => null), after: entries.map(() => null) }),
      ),
    write: (entries, ttlMs) =>
      slowly(
        () => store.write(entries, ttlMs),
        async () => {},
      ),
  };
}

type Actor = { server: number; user: number; steps: string[] };

/**
 * Runs readers and writers on two servers with one store. Nobody may read what is older than what was acknowledged before
 * they asked. `tellAll`: both servers hear of a change, as they do from the database.
 */
async function runActors(
  scheduler: fc.Scheduler,
  actors: Actor[],
  faults: Fault[],
  tellAll: boolean,
): Promise<number> {
  const store = createSlowStore(scheduler, faults);
  const hears = [true, true];
  const servers: SharedCache[] = [0, 1].map((server) =>
    createResultCache({
      hears: () => hears[server]!,
      store,
      guard: unguarded,
      clock,
      ttlMs: 1_000_000,
      deadlineMs: 1_000_000,
      codings: [],
      keepsAtOnce: true,
      format: plainEnvelopes({ maxBytes: 1_000_000 }),
      retryMs: 1_000_000,
      pause: () => scheduler.schedule(Promise.resolve(), "pause"),
    }),
  );
  const committed = [0, 0];
  const acknowledged = [0, 0];
  let hits = 0;

  async function read(server: number, user: number): Promise<void> {
    const least = acknowledged[user]!;
    const entry = { kind: "version", userDid: USERS[user]!, fields: [] };
    const { text, hit } = await ask(servers[server]!, entry, async () => {
      await scheduler.schedule(Promise.resolve(), "statement");
      const seen = committed[user]!;
      await scheduler.schedule(Promise.resolve(), "rows");
      return String(seen);
    });
    if (hit) hits += 1;
    expect(Number(text)).toBeGreaterThanOrEqual(least);
  }

  async function change(
    server: number,
    users: number[],
    tell: (cache: SharedCache) => Promise<void>,
  ): Promise<void> {
    await scheduler.schedule(Promise.resolve(), "commit");
    const made = users.map((user) => (committed[user]! += 1));
    await Promise.all((tellAll ? servers : [servers[server]!]).map(tell));
    for (const [i, user] of users.entries()) acknowledged[user] = Math.max(acknowledged[user]!, made[i]!);
  }

  /** Nobody tells a server that does not hear, and whoever wrote knows nothing of servers. */
  async function changeByOthers(user: number): Promise<void> {
    await scheduler.schedule(Promise.resolve(), "commit");
    const made = (committed[user]! += 1);
    await Promise.all(servers.filter((_, i) => hears[i]).map((cache) => cache.invalidate([USERS[user]!])));
    acknowledged[user] = Math.max(acknowledged[user]!, made);
  }

  function hearAgain(server: number): void {
    // As whoever listens does: first all is dropped that was kept, which need not have been told to the store yet.
    if (!hears[server]) void servers[server]!.invalidateAll();
    hears[server] = true;
  }

  async function act({ server, user, steps }: Actor): Promise<void> {
    for (const step of steps) {
      if (step === "read") await read(server, user);
      else if (step === "others change") await changeByOthers(user);
      else if (step === "lose the ear") hears[server] = false;
      else if (step === "hear again") hearAgain(server);
      else if (step === "change") await change(server, [user], (cache) => cache.invalidate([USERS[user]!]));
      else await change(server, [0, 1], (cache) => cache.invalidateAll());
    }
  }

  await scheduler.waitFor(Promise.all(actors.map(act)));
  const last: Actor[] = [0, 1].flatMap((server) =>
    [0, 1].map((user) => ({ server, user, steps: ["read", "read"] })),
  );
  await scheduler.waitFor(Promise.all(last.map(act)));
  return hits;
}

const actors = actorsWith(STEPS, 4);
// At first all goes well, so that there is something to be given wrongly.
const faultsLater = fc
  .tuple(
    fc.array(fc.constant("none" as const), { maxLength: 12 }),
    fc.array(fc.constantFrom("none" as const, "none" as const, ...FAULTS), { maxLength: 20 }),
  )
  .map(([well, badly]) => [...well, ...badly]);

it("gives nobody what is older than what was acknowledged, however requests to the store interleave", async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), actors, async (scheduler, acting) => {
      hits += await runActors(scheduler, acting, [], false);
    }),
    { numRuns: 2_000 },
  );
  expect(hits).toBeGreaterThan(1_000);
});

it("nor while the store fails, does things later, or does them without saying so, as long as every server hears of a change", async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), actors, faultsLater, async (scheduler, acting, failing) => {
      hits += await runActors(scheduler, acting, failing, true);
    }),
    { numRuns: 4_000 },
  );
  expect(hits).toBeGreaterThan(1_000);
});

it("nor what others changed while a server did not hear of it, however it loses and regains its ear", async () => {
  let hits = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      actorsWith(EAR_STEPS, 6),
      fc.oneof(fc.constant<Fault[]>([]), faultsLater),
      async (scheduler, acting, failing) => {
        hits += await runActors(scheduler, acting, failing, true);
      },
    ),
    { numRuns: 4_000 },
  );
  expect(hits).toBeGreaterThan(1_000);
});
