import { describe, expect, it } from "vitest";
import { createEar } from "../../src/index.ts";

function setUp() {
  const clocks = { wall: 1_000_000, monotonic: 5_000 };
  const ear = createEar({
    boundMs: 3_000,
    clock: { now: () => new Date(clocks.wall) },
    monotonic: () => clocks.monotonic,
  });
  const pass = (ms: number) => {
    clocks.wall += ms;
    clocks.monotonic += ms;
  };
  return { clocks, ear, pass };
}

it("hears nothing before anything was proved", () => {
  const { ear } = setUp();
  expect([ear.hears(), ear.sinceProofMs()]).toEqual([false, null]);
});

it("hears for as long as the bound, from when the nonce was sent and not from when it came back", () => {
  const { ear, pass } = setUp();
  const sentAt = ear.now();
  pass(2_000);
  ear.proved(sentAt);
  expect([ear.hears(), ear.sinceProofMs()]).toEqual([true, 2_000]);
  pass(1_000);
  expect(ear.hears()).toBe(true);
  pass(1);
  expect(ear.hears()).toBe(false);
});

it("hears nothing from the moment it is lost", () => {
  const { ear } = setUp();
  ear.proved(ear.now());
  ear.lost();
  expect(ear.hears()).toBe(false);
});

describe("by either clock alone", () => {
  it("hears nothing after the machine was suspended, while only the wall's clock went on", () => {
    const { clocks, ear } = setUp();
    ear.proved(ear.now());
    clocks.wall += 60_000;
    expect(ear.hears()).toBe(false);
  });

  it("hears no longer because the wall's clock was set back", () => {
    const { clocks, ear } = setUp();
    ear.proved(ear.now());
    clocks.wall -= 3_600_000;
    clocks.monotonic += 3_001;
    expect(ear.hears()).toBe(false);
  });
});
