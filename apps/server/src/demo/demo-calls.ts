import { type ModelCall } from "@usage-stats/core";
import { demoCall } from "./demo-call.ts";
import { createDemoRandom, type DemoRandom } from "./demo-random.ts";
import { rhythmOf } from "./demo-rhythm.ts";
import { type DemoUser, demoUsers } from "./demo-users.ts";

export { DEMO_USER } from "./demo-users.ts";

const HOUR_MS = 3_600_000;
// Whatever began later than this is still being answered.
const PROCESSING_MS = 120_000;
// When the last calls began, in milliseconds before now: a quiet hour may have had none.
const LAST_CALLS_MS = [87_000, 52_000, 31_000, 8_000];

/** How many calls `demoCalls` makes unless told otherwise. */
export const DEMO_CALLS = 200_000;

export type DemoOptions = {
  /** No call is later. */
  now: Date;
  seed?: number;
  users?: number;
  days?: number;
  calls?: number;
};

/**
 * Calls of a made-up gateway in ascending order of their time: few users with many calls and many with few, busy by day and
 * quiet by night and on weekends where each user lives, a little more from week to week. The same `now` and `seed` give the same calls.
 */
export function* demoCalls({
  now,
  seed = 42,
  users: userCount = 50,
  days = 90,
  calls = DEMO_CALLS,
}: DemoOptions): Generator<ModelCall> {
  const random = createDemoRandom(seed);
  const users = demoUsers(userCount, random);
  const hours = days * 24;
  const begin = now.getTime() - hours * HOUR_MS;
  const counts = callCounts(users, begin, hours, calls, random);
  let number = 0;
  for (let hour = 0; hour < hours; hour += 1) {
    const planned = timesOf(users, counts.subarray(hour * users.length), begin + hour * HOUR_MS, random);
    if (hour === hours - 1) moveLast(planned, now);
    planned.sort((a, b) => a.time - b.time);
    for (const { user, time } of planned) {
      yield demoCall(number, user, new Date(time), now.getTime() - time < PROCESSING_MS, random);
      number += 1;
    }
  }
}

/** How many calls each user makes in each hour, users within hours; together exactly `calls`. */
function callCounts(
  users: DemoUser[],
  begin: number,
  hours: number,
  calls: number,
  random: DemoRandom,
): Uint32Array {
  const zones = [...new Set(users.map((user) => user.timezone))].map((timezone) => ({
    timezone,
    rhythm: rhythmOf(timezone),
  }));
  const sums = new Float64Array(hours * users.length);
  let sum = 0;
  for (let hour = 0; hour < hours; hour += 1) {
    const middle = new Date(begin + (hour + 0.5) * HOUR_MS);
    const busyness = new Map(zones.map(({ timezone, rhythm }) => [timezone, rhythm(middle)]));
    const growth = 0.75 + 0.5 * (hour / hours);
    users.forEach((user, i) => {
      sum += user.share * busyness.get(user.timezone)! * growth * random.factor(0.6);
      sums[hour * users.length + i] = sum;
    });
  }
  let before = 0;
  return Uint32Array.from(sums, (upTo) => {
    const counted = Math.round((upTo / sum) * calls);
    const count = counted - before;
    before = counted;
    return count;
  });
}

type Planned = { user: DemoUser; time: number };

function timesOf(users: DemoUser[], counts: Uint32Array, begin: number, random: DemoRandom): Planned[] {
  return users.flatMap((user, i) =>
    Array.from({ length: counts[i]! }, () => ({ user, time: begin + random.integer(0, HOUR_MS - 1) })),
  );
}

function moveLast(planned: Planned[], now: Date): void {
  planned.slice(-LAST_CALLS_MS.length).forEach((call, i) => (call.time = now.getTime() - LAST_CALLS_MS[i]!));
}
