import { type CallChange, NOTHING_KNOWN } from "@usage-stats/core";
import { expect, it } from "vitest";
import { openShares, turnsToRecord } from "../../src/limits/shares.ts";

const pools = { reports: 4, lists: 2, ingest: 3, identity: 2, worker: 2, waitMs: 1_000 };
const shares = openShares({ pools, statementsPerIdentity: 4 });

const calls = (count: number): CallChange[] =>
  Array.from({ length: count }, (_, n) => ({
    ...NOTHING_KNOWN,
    id: `call-${n}`,
    userDid: "did:abt:z1test",
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    status: "success",
    callTime: new Date("2026-06-15T12:34:56.789Z"),
  }));
const { userDid, id, callTime } = calls(1)[0]!;

it.each([
  ["a single call", calls(1), false],
  ["a hundred calls", calls(100), false],
])("one identity may have many small recordings under way, which share connections: %s", (_, ...what) => {
  expect(turnsToRecord(shares, ...what)).toBe(shares.sharedWrites);
});

it.each([
  ["more calls", calls(101), false],
  ["an atomic one", calls(1), true],
  ["a void", [{ userDid, id, callTime, void: true as const }], false],
  ["a call twice", [...calls(2), ...calls(2)], false],
])("one identity has fewer turns than connections for what takes one by itself: %s", async (_, ...what) => {
  const turns = turnsToRecord(shares, ...what);
  const { signal } = new AbortController();
  const ended = Promise.withResolvers<void>();
  let running = 0;
  const all = Array.from({ length: 5 }, () =>
    turns.take("me", signal, () => {
      running += 1;
      return ended.promise;
    }),
  );
  await Promise.resolve();
  expect(running).toBe(2);
  ended.resolve();
  await Promise.all(all);
});
