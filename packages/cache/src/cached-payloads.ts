import { type Awaitable, type Clock, orElse, type Payload, whenThere } from "@usage-stats/core";
import { type OnCacheEvent } from "./cache-events.ts";
import { type CacheKeys, type LeaseKey } from "./cache-keys.ts";
import { type CacheStore } from "./cache-store.ts";
import { type Envelope, type EnvelopeFormat, Unreadable } from "./text-envelope.ts";
import { GENERATION_MS, generationOf, newGeneration } from "./generation.ts";
import { type Guard } from "./guard.ts";

export type CachedPayloadsSettings = {
  store: CacheStore;
  guard: Guard;
  clock: Clock;
  /** How long a text may be given out. The safety net only: what changes is not given out at once. */
  ttlMs: number;
  /** How long the store may keep a request waiting in all. */
  deadlineMs: number;
  format: EnvelopeFormat;
  leaseKey: LeaseKey;
};

export type Found =
  | { state: "hit"; payload: Payload; expiresAt: number }
  /** `generation` is `null` where the store has none yet. */
  | { state: "miss"; generation: string | null }
  | { state: "unusable" };

const LEASE_MS = 3_000;

/** Finds and keeps texts in a store that may fail. `until`, in the milliseconds of `performance.now()`, is when to give it up. */
export function createCachedPayloads(settings: CachedPayloadsSettings & { onEvent: OnCacheEvent }) {
  const { store, guard, clock, leaseKey, onEvent } = settings;
  const server = crypto.randomUUID();

  async function keep(kind: string, key: string, generation: string, payload: Payload): Promise<boolean> {
    const expiresAt = clock.now().getTime() + settings.ttlMs;
    const encoded = await settings.format.encode({ key, generation, expiresAt, payload });
    if (encoded === null) {
      onEvent({ type: "too_large", kind, bytes: payload.bytes.length });
      return false;
    }
    const until = performance.now() + settings.deadlineMs;
    try {
      await guard("write", until, () => store.write([[key, encoded]], settings.ttlMs));
      return true;
    } catch {
      // The guard has counted it.
      return false;
    }
  }

  /** `null` where there is nothing that can be read. */
  function open(found: unknown, key: string): Awaitable<Envelope | null> {
    if (found === null) return null;
    const opened = () =>
      whenThere(settings.format.decode(found), (envelope): Envelope | null => {
        if (envelope.key !== key) throw new Unreadable("another key's value");
        return envelope;
      });
    return orElse(opened, (error) => {
      if (!(error instanceof Unreadable)) throw error;
      onEvent({ type: "unreadable", why: error.message });
      return null;
    });
  }

  function judge(keys: CacheKeys, found: unknown[]): Awaitable<Found> {
    const generation = generationOf(keys, found[1], found[2]);
    if (generation === null) return { state: "miss", generation };
    return whenThere(open(found[0], keys.value), (envelope) => {
      const valid = envelope?.generation === generation && envelope.expiresAt > clock.now().getTime();
      return valid
        ? { state: "hit", payload: envelope.payload, expiresAt: envelope.expiresAt }
        : { state: "miss", generation };
    });
  }

  return {
    /** What is kept, in the one generation that is valid now: at once where nothing has to be waited for. Never throws. */
    find(keys: CacheKeys, until: number): Awaitable<Found> {
      const read = () => guard("read", until, () => store.read([keys.value, ...keys.generations]));
      return orElse(
        () => whenThere(read(), (values) => judge(keys, values)),
        // The guard has counted it. Whatever ails the cache, the answer is made without.
        () => ({ state: "unusable" }),
      );
    },

    /** The generation to compute in, begun where there is none; `null` where it cannot be known. */
    async beginGeneration(keys: CacheKeys, until: number): Promise<string | null> {
      try {
        const fresh = keys.generations.map(newGeneration);
        const [own, everything] = await guard("ensure", until, () => store.ensure(fresh, GENERATION_MS));
        return generationOf(keys, own, everything);
      } catch {
        return null;
      }
    },

    /** Who computes this: nobody did until now, this server does already, or another. Where the store does not tell, nobody. */
    async claim(keys: CacheKeys, generation: string, until: number): Promise<"free" | "ours" | "taken"> {
      const key = leaseKey(keys.value, generation);
      const token = `${key} ${crypto.randomUUID()} ${server}`;
      try {
        const [found] = await guard("ensure", until, () => store.ensure([[key, token]], LEASE_MS));
        if (found === token || typeof found !== "string" || !found.startsWith(`${key} `)) return "free";
        return found.endsWith(server) ? "ours" : "taken";
      } catch {
        return "free";
      }
    },

    /** Keeps a text that was computed in a generation, and says whether. Never throws: what could not be kept is computed again. */
    keep,
  };
}
