/** What a call adds to its user's totals in one of its versions; nothing once it is void. */
export type Amount = { calls: number; totalUsage: number };

export type Bounds = { least: Amount; most: Amount };

type Version = { amount: Amount; sentAt: number; acknowledgedAt: number };
type KnownCall = { callTime: number; versions: Version[] };

export type SentCall = { userDid: string; id: string; callTime: string };

/** Half-open. */
type TimeRange = { from: Date; to: Date };

/**
 * What writers sent and what was acknowledged to them, against which a read can be judged while writing goes on: it must lie
 * between what was acknowledged before it began and what was sent by its end. A call's next version is sent only after the one
 * before was acknowledged. Times are of one clock that only goes forward, in milliseconds.
 */
export class CallHistory {
  readonly #users = new Map<string, Map<string, KnownCall>>();

  /** Notes a version of a call as sent; gives what notes that it was acknowledged. */
  send({ userDid, id, callTime }: SentCall, amount: Amount, now: number): (now: number) => void {
    const calls = this.#callsOf(userDid);
    const known = calls.get(id) ?? { callTime: Date.parse(callTime), versions: [] };
    calls.set(id, known);
    const version: Version = { amount, sentAt: now, acknowledgedAt: Number.POSITIVE_INFINITY };
    known.versions.push(version);
    return (at) => void (version.acknowledgedAt = Math.min(version.acknowledgedAt, at));
  }

  /** What a read of a user's (`null`: of everyone's) totals in a range may give that began and ended when it did. */
  bounds(userDid: string | null, { from, to }: TimeRange, began: number, ended: number): Bounds {
    const least = { calls: 0, totalUsage: 0 };
    const most = { calls: 0, totalUsage: 0 };
    const users = userDid === null ? this.#users.values() : [this.#callsOf(userDid)];
    for (const calls of users)
      for (const { callTime, versions } of calls.values()) {
        if (callTime < from.getTime() || callTime >= to.getTime()) continue;
        const amounts = possible(versions, began, ended);
        for (const name of ["calls", "totalUsage"] as const) {
          least[name] += Math.min(...amounts.map((amount) => amount[name]));
          most[name] += Math.max(...amounts.map((amount) => amount[name]));
        }
      }
    return { least, most };
  }

  #callsOf(userDid: string): Map<string, KnownCall> {
    let calls = this.#users.get(userDid);
    if (calls === undefined) this.#users.set(userDid, (calls = new Map()));
    return calls;
  }
}

export function isWithin(found: Amount, { least, most }: Bounds): boolean {
  return (["calls", "totalUsage"] as const).every(
    (name) => least[name] <= found[name] && found[name] <= most[name],
  );
}

const NOTHING: Amount = { calls: 0, totalUsage: 0 };

function possible(versions: readonly Version[], began: number, ended: number): Amount[] {
  const settled = versions.findLastIndex(({ acknowledgedAt }) => acknowledgedAt <= began);
  const before = settled === -1 ? NOTHING : versions[settled]!.amount;
  return [
    before,
    ...versions
      .slice(settled + 1)
      .filter(({ sentAt }) => sentAt <= ended)
      .map(({ amount }) => amount),
  ];
}
