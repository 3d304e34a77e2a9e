interface Entry {
  value: string;
  /** Milliseconds since the epoch; null is for ever. */
  expiresAt: number | null;
}

const FEWEST_TO_SWEEP = 1_000;

/** Strings by key, with expiry by the clock it is given. An expired key is gone for every reader. */
export class Keyspace {
  readonly #now: () => number;
  readonly #entries = new Map<string, Entry>();
  #sweepAt = FEWEST_TO_SWEEP;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** How many entries are held in memory, expired ones not yet swept included. */
  get held(): number {
    return this.#entries.size;
  }

  get(key: string): string | null {
    const entry = this.#entries.get(key);
    return entry === undefined || this.#isExpired(entry) ? null : entry.value;
  }

  /** `ttlMs` is how long the key lives; null is for ever. */
  set(key: string, value: string, ttlMs: number | null): void {
    this.#entries.set(key, { value, expiresAt: ttlMs === null ? null : this.#now() + ttlMs });
    // Once there are twice as many as the last sweep left: each write pays for a constant part of a sweep.
    if (this.held >= this.#sweepAt) this.#sweep();
  }

  clear(): void {
    this.#entries.clear();
  }

  #sweep(): void {
    for (const [key, entry] of this.#entries) if (this.#isExpired(entry)) this.#entries.delete(key);
    this.#sweepAt = Math.max(FEWEST_TO_SWEEP, 2 * this.held);
  }

  // Redis keeps a key through the very millisecond it expires in.
  #isExpired({ expiresAt }: Entry): boolean {
    return expiresAt !== null && this.#now() > expiresAt;
  }
}
