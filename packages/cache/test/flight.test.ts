import { expect, it } from "vitest";
import { createFlight } from "../src/flight.ts";

function flight() {
  const abandoned = new AbortController();
  const result = Promise.withResolvers<string>();
  return { abandoned, result, ...createFlight(result.promise, abandoned) };
}

it("ends when everybody who waited has left, and not before; whoever leaves does so at once", async () => {
  const { join, isAbandoned } = flight();
  const [one, two] = [new AbortController(), new AbortController()];
  const first = join(one.signal);
  const second = join(two.signal);
  one.abort(new Error("too late"));
  one.abort();
  expect(isAbandoned()).toBe(false);
  await expect(first).rejects.toThrow("too late");
  two.abort(new Error("gone"));
  expect(isAbandoned()).toBe(true);
  await expect(second).rejects.toThrow("gone");
});

it("goes on for somebody who cannot leave", () => {
  const { join, isAbandoned } = flight();
  const one = new AbortController();
  void join(undefined);
  join(one.signal).catch(() => {});
  one.abort();
  expect(isAbandoned()).toBe(false);
});

it("counts whoever had left before joining", () => {
  const { join, isAbandoned } = flight();
  join(AbortSignal.abort()).catch(() => {});
  expect(isAbandoned()).toBe(true);
});

it("is not ended by those who leave after it is done", async () => {
  const { join, result, isAbandoned } = flight();
  const one = new AbortController();
  const joined = join(one.signal);
  result.resolve("done");
  expect(await joined).toBe("done");
  one.abort();
  expect(isAbandoned()).toBe(false);
});
