import { describe, expect, it } from "vitest";
import { CallHistory, isWithin } from "./call-history.ts";

const one = { calls: 1, totalUsage: 10 };
const ALWAYS = { from: new Date(0), to: new Date(8.64e15) };
const call = (userDid: string, id: string, callTime = "2026-01-01T00:00:00Z") => ({ userDid, id, callTime });

describe("a read is judged by what was acknowledged before it and sent by its end", () => {
  it("must have what was acknowledged before it began", () => {
    const history = new CallHistory();
    history.send(call("u", "a"), one, 1)(2);
    expect(history.bounds("u", ALWAYS, 2, 3)).toEqual({ least: one, most: one });
    expect(isWithin({ calls: 0, totalUsage: 0 }, history.bounds("u", ALWAYS, 2, 3))).toBe(false);
  });

  it("may or may not have what was sent and not acknowledged, and never what was sent after it", () => {
    const history = new CallHistory();
    const acknowledge = history.send(call("u", "a"), one, 5);
    acknowledge(9);
    expect(history.bounds("u", ALWAYS, 6, 7)).toEqual({ least: { calls: 0, totalUsage: 0 }, most: one });
    expect(history.bounds("u", ALWAYS, 3, 4).most.calls).toBe(0);
    expect(history.bounds("u", ALWAYS, 9, 10).least.calls).toBe(1);
  });

  it("may have either version of a call that is being corrected, and must not have the older one after", () => {
    const history = new CallHistory();
    history.send(call("u", "a"), { calls: 1, totalUsage: 10 }, 1)(2);
    history.send(call("u", "a"), { calls: 1, totalUsage: 3 }, 5)(6);
    expect(history.bounds("u", ALWAYS, 4, 7)).toEqual({ least: { calls: 1, totalUsage: 3 }, most: one });
    expect(isWithin(one, history.bounds("u", ALWAYS, 6, 7))).toBe(false);
  });

  it("must not count a call whose void was acknowledged", () => {
    const history = new CallHistory();
    history.send(call("u", "a"), one, 1)(2);
    history.send(call("u", "a"), { calls: 0, totalUsage: 0 }, 3)(4);
    expect(history.bounds("u", ALWAYS, 4, 5).most.calls).toBe(0);
  });

  it("counts a call only where the range holds its time", () => {
    const history = new CallHistory();
    history.send(call("u", "a", "2026-01-01T12:00:00Z"), one, 1)(2);
    const until = (to: string) => ({ from: new Date("2026-01-01T11:00:00Z"), to: new Date(to) });
    expect(history.bounds("u", until("2026-01-01T12:00:00Z"), 3, 4).most.calls).toBe(0);
    expect(history.bounds("u", until("2026-01-01T12:00:00.001Z"), 3, 4).least.calls).toBe(1);
  });

  it("adds up everyone's", () => {
    const history = new CallHistory();
    history.send(call("u", "a"), one, 1)(2);
    history.send(call("v", "a"), one, 1)(2);
    expect(history.bounds(null, ALWAYS, 3, 4)).toEqual({
      least: { calls: 2, totalUsage: 20 },
      most: { calls: 2, totalUsage: 20 },
    });
    expect(history.bounds("u", ALWAYS, 3, 4).most.calls).toBe(1);
  });
});
