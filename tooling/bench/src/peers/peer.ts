import { type Periods } from "../periods.ts";
import { type PeerAnswer } from "./peer-answer.ts";

/** Somebody else's way to keep and answer the same, filled with the same calls. */
export type Peer = {
  name: string;
  /** In how many rounds it is measured: fewer where it is slow. */
  rounds: number;
  read(userDid: string, periods: Periods): PeerAnswer | Promise<PeerAnswer>;
};

/** The UTC day in which an instant is. */
export function utcDay(at: Date): string {
  return at.toISOString().slice(0, 10);
}
