import { type Clock } from "@usage-stats/core";

/** A moment by two clocks: the one stands still while the machine is suspended, the other may be set back. */
export type Moment = { wall: number; monotonic: number };

/** Knows until when everything that was committed has been heard of. */
export type Ear = {
  readonly boundMs: number;
  /** Whether everything that was committed `boundMs` ago has been heard of. Nothing kept may be given out while not. */
  hears(): boolean;
  /** Since when everything that was committed may be unknown, in milliseconds; `null` while nothing is known. */
  sinceProofMs(): number | null;
  now(): Moment;
  /** Everything that was committed before `sentAt` has been heard of: a nonce that was sent then has come back. */
  proved(sentAt: Moment): void;
  /** From now on anything may have been missed. */
  lost(): void;
};

export type EarSettings = {
  /** How old the last proof may be, in milliseconds, and so how long a change may go unheard at most. */
  boundMs: number;
  clock: Clock;
  /** A clock that only goes forward, in milliseconds. */
  monotonic?: () => number;
};

/** Makes an ear that has heard nothing yet. */
export function createEar({ boundMs, clock, monotonic = () => performance.now() }: EarSettings): Ear {
  let proof: Moment | null = null;
  const now = (): Moment => ({ wall: clock.now().getTime(), monotonic: monotonic() });

  function sinceProofMs(): number | null {
    if (proof === null) return null;
    const { wall, monotonic: passed } = now();
    return Math.max(0, wall - proof.wall, passed - proof.monotonic);
  }

  return {
    boundMs,
    now,
    sinceProofMs,
    hears: () => (sinceProofMs() ?? Number.POSITIVE_INFINITY) <= boundMs,
    proved: (sentAt) => void (proof = sentAt),
    lost: () => void (proof = null),
  };
}
