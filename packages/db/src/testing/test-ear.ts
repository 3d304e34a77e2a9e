import { announceOver } from "../listening/announce.ts";
import { createEar, type Ear } from "../listening/ear.ts";
import { type Announce } from "../listening/prove-hearing.ts";
import { type TestDatabase } from "./test-database.ts";

/** Makes what listening needs besides somebody to tell; by clocks that go. */
export function testEar(
  { orm }: Pick<TestDatabase, "orm">,
  boundMs = 3_000,
): { ear: Ear; announce: Announce } {
  return { ear: createEar({ boundMs, clock: { now: () => new Date() } }), announce: announceOver(orm) };
}
