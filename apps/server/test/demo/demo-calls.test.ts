import { describe, expect, it } from "vitest";
import { CALL_TYPES, type ModelCall } from "@usage-stats/core";
import { parseModelCall } from "@usage-stats/api";
import { DEMO_USER, demoCalls } from "../../src/demo/demo-calls.ts";

const now = new Date("2026-03-05T09:20:34.567Z");
const all = [...demoCalls({ now })];

const count = (wanted: (call: ModelCall) => boolean) => all.filter(wanted).length;
const hourIn = (timeZone: string) => {
  const format = new Intl.DateTimeFormat("en-US", { timeZone, hour: "2-digit", hourCycle: "h23" });
  return (call: ModelCall) => Number(format.format(call.callTime));
};

describe("the demo", () => {
  it("is the same for the same time and seed, and another for others", () => {
    const few = { now, calls: 2_000, days: 10 };
    expect([...demoCalls({ ...few, seed: 7 })]).toEqual([...demoCalls({ ...few, seed: 7 })]);
    expect([...demoCalls({ ...few, seed: 7 })]).not.toEqual([...demoCalls({ ...few, seed: 8 })]);
    expect([...demoCalls({ ...few })]).not.toEqual([
      ...demoCalls({ ...few, now: new Date(now.getTime() + 1) }),
    ]);
  });

  it.each([1, 100, 5_000, 200_000])("has as many calls as asked for, here %i", (calls) => {
    const made = calls === 200_000 ? all.length : [...demoCalls({ now, calls, days: 3, users: 5 })].length;
    expect(Math.abs(made - calls)).toBeLessThanOrEqual(calls / 100);
  });

  it("ascends through its 90 days, up to now and never beyond", () => {
    expect(all.every((call, i) => i === 0 || call.callTime >= all[i - 1]!.callTime)).toBe(true);
    expect(now.getTime() - all[0]!.callTime.getTime()).toBeGreaterThan(89 * 86_400_000);
    expect(now.getTime() - all[0]!.callTime.getTime()).toBeLessThanOrEqual(90 * 86_400_000);
    expect(now.getTime() - all.at(-1)!.callTime.getTime()).toBeGreaterThanOrEqual(0);
    expect(now.getTime() - all.at(-1)!.callTime.getTime()).toBeLessThanOrEqual(8_000);
  });

  it("identifies every call by an id of its own", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it("has few users with many calls, the demo's user first", () => {
    const byUser = Map.groupBy(all, ({ userDid }) => userDid);
    const sizes = [...byUser.values()].map(({ length }) => length).toSorted((a, b) => b - a);
    expect(byUser.size).toBe(50);
    expect(byUser.get(DEMO_USER)).toHaveLength(sizes[0]!);
    expect(sizes[0]! / all.length).toBeGreaterThan(0.15);
    expect(sizes[49]!).toBeGreaterThan(300);
    for (const calls of byUser.values())
      expect(new Set(calls.map(({ appDid }) => appDid)).size).toBeGreaterThanOrEqual(2);
  });

  it("is quiet by night and on weekends, where each user lives", () => {
    for (const [userDid, timezone] of [
      [DEMO_USER, "Europe/Berlin"],
      ["did:abt:z1demo002", "Asia/Shanghai"],
      ["did:abt:z1demo003", "America/Los_Angeles"],
    ] as const) {
      const calls = all.filter((call) => call.userDid === userDid);
      const hours = calls.map(hourIn(timezone));
      const within = (from: number, to: number) => hours.filter((hour) => hour >= from && hour < to).length;
      expect(within(9, 17)).toBeGreaterThan(10 * within(0, 6));
      expect(within(0, 6)).toBeLessThan(calls.length * 0.06);
      const weekday = new Intl.DateTimeFormat("en-US", { timeZone: timezone, weekday: "short" });
      const weekend = calls.filter(({ callTime }) => weekday.format(callTime).startsWith("S")).length;
      expect(weekend).toBeLessThan(calls.length * 0.2);
    }
  });

  it("has every type, and the models of several providers", () => {
    for (const type of CALL_TYPES) expect(count((call) => call.type === type)).toBeGreaterThan(400);
    expect(new Set(all.map(({ providerId }) => providerId))).toEqual(
      new Set(["openai", "anthropic", "google", "deepseek"]),
    );
    expect(new Set(all.map(({ model }) => model)).size).toBe(9);
  });

  it("fails now and then, saying why and costing nothing", () => {
    const failed = all.filter(({ status }) => status === "failed");
    expect(failed.length / all.length).toBeCloseTo(0.015, 2);
    expect(failed.every((call) => call.errorReason !== null && call.credits === "0")).toBe(true);
    expect(count((call) => call.status !== "failed" && call.errorReason !== null)).toBe(0);
  });

  it("is still answering a few calls of the last minutes, whenever that is", () => {
    for (const hour of [0, 6, 12, 18]) {
      const calls = [...demoCalls({ now: new Date(Date.UTC(2026, 2, 8, hour)), calls: 20_000, days: 9 })];
      const processing = calls.filter(({ status }) => status === "processing");
      expect(processing.length).toBeGreaterThanOrEqual(4);
      expect(processing.length).toBeLessThan(40);
      expect(processing[0]!.callTime.getTime()).toBeGreaterThan(Date.UTC(2026, 2, 8, hour) - 120_000);
    }
  });

  it("prices each call exactly", () => {
    const priced = all.find((call) => call.model === "claude-sonnet-4" && call.status === "success")!;
    const millionths = BigInt(priced.inputTokens!) * 3n + BigInt(priced.outputTokens!) * 15n;
    expect(BigInt(priced.credits!.replace(".", ""))).toBe(millionths * 100n);
    const ended = all.filter(({ status }) => status !== "processing");
    expect(ended.every(({ credits }) => /^\d+\.\d{8}$|^0$/.test(credits ?? ""))).toBe(true);
    expect(all.every(({ status, credits }) => (status === "processing") === (credits === null))).toBe(true);
  });

  it("is made of calls that could be imported", () => {
    for (let i = 0; i < all.length; i += 97) {
      expect(parseModelCall(JSON.parse(JSON.stringify(all[i])))).toEqual({ call: all[i] });
    }
  });
});
