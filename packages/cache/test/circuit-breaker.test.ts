import { beforeEach, expect, it } from "vitest";
import { type BreakerState, type CircuitBreaker, createCircuitBreaker } from "../src/circuit-breaker.ts";

let now: number;
let states: BreakerState[];
let breaker: CircuitBreaker;

beforeEach(() => {
  now = 0;
  states = [];
  breaker = createCircuitBreaker({
    failures: 3,
    openMs: 1_000,
    monotonic: () => now,
    onChange: (state) => states.push(state),
  });
});

function fail(times: number): void {
  for (let i = 0; i < times; i++) breaker.failed();
}

it("opens after failures in a row, not after as many with a success between them", () => {
  fail(2);
  breaker.succeeded();
  fail(2);
  expect(breaker.allows()).toBe(true);
  fail(1);
  expect(breaker.allows()).toBe(false);
  expect(states).toEqual(["open"]);
});

it("lets one attempt through after a while, and closes when it went well", () => {
  fail(3);
  now = 999;
  expect(breaker.allows()).toBe(false);
  now = 1_000;
  expect([breaker.allows(), breaker.allows(), breaker.allows()]).toEqual([true, false, false]);
  breaker.succeeded();
  expect([breaker.allows(), breaker.allows()]).toEqual([true, true]);
  expect(states).toEqual(["open", "half-open", "closed"]);
});

it("opens again when the attempt failed, for as long as before", () => {
  fail(3);
  now = 1_000;
  expect(breaker.allows()).toBe(true);
  breaker.failed();
  now = 1_999;
  expect(breaker.allows()).toBe(false);
  now = 2_000;
  expect(breaker.allows()).toBe(true);
  expect(states).toEqual(["open", "half-open", "open", "half-open"]);
});

it("stays open for those that were under way when it opened, however they end", () => {
  fail(5);
  expect(breaker.allows()).toBe(false);
  expect(states).toEqual(["open"]);
});
