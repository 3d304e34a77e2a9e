import { setTimeout as sleep } from "node:timers/promises";
import {
  type Awaitable,
  type CacheEntry,
  type CacheInvalidator,
  type ContentCoding,
  type Payload,
  type ResultCache,
  whenThere,
} from "@usage-stats/core";
import { type CacheOutcome, type OnCacheEvent } from "./cache-events.ts";
import { type CacheKeys, cacheKeys, EVERYTHING, generationKey, leaseKey } from "./cache-key.ts";
import { createInvalidations } from "./invalidations.ts";
import { createPayload } from "./compress.ts";
import { createFlight, type Flight } from "./flight.ts";
import { createCachedPayloads, type Found, type CachedPayloadsSettings } from "./cached-payloads.ts";

export type ResultCacheSettings = Omit<CachedPayloadsSettings, "leaseKey"> & {
  /** What texts that are sent are kept compressed in too. */
  codings: readonly ContentCoding[];
  /** Whether they are kept plain until they are compressed, so that whoever asks next finds them: where a write costs nothing. */
  keepsAtOnce: boolean;
  /** Whether changes are heard of that others make; nothing kept is given out, and nothing is kept, while they are not. */
  hears?: () => boolean;
  /** How often what could not be told to the store is tried again. */
  retryMs?: number;
  onEvent?: OnCacheEvent;
  pause?: (ms: number) => Promise<unknown>;
};

/** The cache as one request sees it. */
export type RequestCache = ResultCache & {
  /** What came of it so far; `null` if it was not asked. */
  report(): CacheReport | null;
};

export type CacheReport = {
  outcome: CacheOutcome;
  /** When the first of the texts that were given expires, in unix milliseconds; `null` if none was. */
  expiresAt: number | null;
  /** How long the cache was waited for. */
  durationMs: number;
};

export type SharedCache = CacheInvalidator & {
  /** `signal` gives what aborts when the request waits no more. */
  forRequest(signal?: () => AbortSignal): RequestCache;
  /** Finishes what is being written and tried again. */
  close(): Promise<void>;
};

type Missed = Exclude<Found, { state: "hit" }>;
type Bytes = Uint8Array<ArrayBuffer>;
type Compute = (signal?: AbortSignal) => Promise<string | Bytes>;
/** `keepIn` is the generation to keep it in, if it is to be kept. */
type Made = { bytes: Bytes; keepIn: string | null };

const encoder = new TextEncoder();

/** Longer than a statement may run, so that nothing made before a change is kept after it was given up. */
const LONGEST_COMPUTATION_MS = 30_000;
/** The pauses between looking whether another server is done, 150 ms in all, unless the request's time is up before. */
const PAUSES_MS = [5, 10, 20, 40, 75];

/**
 * Keeps texts in a store, each valid in one generation of its user's calls. The generation is read in the same round trip as
 * the text, and before anything is computed; a change gives the user a new one, once it is committed. So what was made
 * before a change is never given to anyone who asks after it.
 */
export function createResultCache(settings: ResultCacheSettings): SharedCache {
  const { deadlineMs, hears = () => true, onEvent = () => {}, pause = sleep } = settings;
  const texts = createCachedPayloads({ ...settings, leaseKey, onEvent });
  const invalidations = createInvalidations({
    ...settings,
    retryMs: settings.retryMs ?? 1_000,
    giveUpMs: settings.ttlMs + LONGEST_COMPUTATION_MS,
    onEvent,
  });
  const known = new WeakMap<CacheEntry, CacheKeys>();
  const flights = new Map<string, Flight<Bytes>>();
  const pendingWrites = new Set<Promise<void>>();
  let changes = 0;

  /** An entry that is peeked for again and again has its keys worked out once. */
  function keysOf(entry: CacheEntry): CacheKeys {
    let keys = known.get(entry);
    if (keys === undefined) known.set(entry, (keys = cacheKeys(entry)));
    return keys;
  }

  function find(keys: CacheKeys, until: number): Awaitable<Found> {
    if (!hears() || invalidations.undelivered(keys.generations)) return { state: "unusable" };
    return texts.find(keys, until);
  }

  /** What was looked for in a generation that had not begun: it begins now, or nothing may be kept. */
  async function begin(keys: CacheKeys, until: number): Promise<string | null> {
    const generation = await texts.beginGeneration(keys, until);
    // Whatever else may be in a generation's place, it stays there until it is overwritten.
    if (generation === null && !invalidations.undelivered(keys.generations))
      void invalidations.add(keys.generations);
    return generation;
  }

  /** One computation at a time, but only for those who saw the same generation: it began before the others' change. */
  async function makeOnce(
    { kind, isSent = false }: CacheEntry,
    keys: CacheKeys,
    found: Missed,
    until: number,
    compute: Compute,
    signal: AbortSignal | undefined,
  ): Promise<Bytes> {
    const generation = found.state === "unusable" ? null : (found.generation ?? (await begin(keys, until)));
    const name = `${keys.value} ${generation ?? withoutStore()}`;
    const under = flights.get(name);
    if (under !== undefined && !under.isAbandoned()) return under.join(signal);
    const abandoned = new AbortController();
    const making = make(keys, generation, until, () => compute(abandoned.signal));
    const flight = createFlight(
      making.then((made) => made.bytes),
      abandoned,
    );
    flights.set(name, flight);
    const written = making
      .then((made) => keepMade(kind, keys.value, isSent, made))
      .catch(() => {
        // Those who wait for it are told.
      })
      .finally(() => {
        if (flights.get(name) === flight) flights.delete(name);
        pendingWrites.delete(written);
      });
    pendingWrites.add(written);
    return flight.join(signal);
  }

  /** While no changes are heard of nobody may be given what began before they asked. */
  function withoutStore(): string {
    return hears() ? `without the store, after ${changes} changes` : `unheard ${crypto.randomUUID()}`;
  }

  async function make(
    keys: CacheKeys,
    generation: string | null,
    until: number,
    compute: Compute,
  ): Promise<Made> {
    if (generation !== null) {
      const who = await texts.claim(keys, generation, until);
      const pauses = { free: [], ours: [0], taken: PAUSES_MS }[who];
      const bytes = await waitFor(keys, generation, until, pauses);
      if (bytes !== null) return { bytes, keepIn: null };
    }
    const computed = await compute();
    const bytes = typeof computed === "string" ? encoder.encode(computed) : computed;
    return { bytes, keepIn: generation };
  }

  /** Keeps what was made; what is sent, compressed too. */
  async function keepMade(
    kind: string,
    key: string,
    isSent: boolean,
    { bytes, keepIn }: Made,
  ): Promise<void> {
    if (keepIn === null) return;
    const keep = (payload: Payload) => texts.keep(kind, key, keepIn, payload);
    const isKept = (isSent && !settings.keepsAtOnce) || (await keep({ bytes }));
    if (isSent && isKept) await keep(await createPayload(bytes, settings.codings));
  }

  /** Waits a little for a text that is being made elsewhere, or that this server has made since it was looked for. */
  async function waitFor(
    keys: CacheKeys,
    generation: string,
    until: number,
    pauses: number[],
  ): Promise<Bytes | null> {
    for (const ms of pauses) {
      if (performance.now() + ms > until) return null;
      await pause(ms);
      const found = await find(keys, until);
      if (found.state === "hit") return found.payload.bytes;
      if (found.state === "unusable" || found.generation !== generation) return null;
    }
    return null;
  }

  function forRequest(signal?: () => AbortSignal): RequestCache {
    const looked = new Map<string, Awaitable<Found>>();
    let report: CacheReport | null = null;
    let until: number | null = null;

    /** Asks the store once a request, however often this is asked. */
    function look(keys: CacheKeys): Awaitable<Found> {
      until ??= performance.now() + deadlineMs;
      let found = looked.get(keys.value);
      if (found === undefined) looked.set(keys.value, (found = find(keys, until)));
      return found;
    }

    function note(kind: string, outcome: CacheOutcome, expiresAt: number | null, started: number): void {
      onEvent({ type: "lookup", outcome, kind });
      report = {
        outcome: worse(report?.outcome, outcome),
        expiresAt: sooner(report?.expiresAt ?? null, expiresAt),
        durationMs: (report?.durationMs ?? 0) + performance.now() - started,
      };
    }

    return {
      report: () => report,
      peek(entry) {
        const started = performance.now();
        return whenThere(look(keysOf(entry)), (found) => {
          if (found.state !== "hit") return null;
          note(entry.kind, "hit", found.expiresAt, started);
          return found.payload;
        });
      },
      async remember(entry: CacheEntry, compute) {
        const started = performance.now();
        const keys = cacheKeys(entry);
        const found = await look(keys);
        if (found.state === "hit") {
          note(entry.kind, "hit", found.expiresAt, started);
          return { payload: found.payload, hit: true };
        }
        note(entry.kind, found.state === "miss" ? "miss" : "bypass", null, started);
        const bytes = await makeOnce(entry, keys, found, until!, compute, signal?.());
        return { payload: { bytes }, hit: false };
      },
    };
  }

  function invalidate(generations: string[]): Promise<void> {
    changes += 1;
    return invalidations.add(generations);
  }

  return {
    forRequest,
    invalidate: (userDids) =>
      userDids.length === 0 ? Promise.resolve() : invalidate([...userDids, null].map(generationKey)),
    invalidateAll: () => invalidate([EVERYTHING]),
    async close() {
      await Promise.all(pendingWrites);
      await invalidations.close();
    },
  };
}

const BY_BADNESS: CacheOutcome[] = ["hit", "miss", "bypass"];

function worse(one: CacheOutcome | undefined, other: CacheOutcome): CacheOutcome {
  return one !== undefined && BY_BADNESS.indexOf(one) > BY_BADNESS.indexOf(other) ? one : other;
}

function sooner(one: number | null, other: number | null): number | null {
  return one === null || other === null ? (one ?? other) : Math.min(one, other);
}
