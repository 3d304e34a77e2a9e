import { expect, it } from "vitest";
import { createFlight } from "../src/flight.ts";

function flight() {
  const abandoned = new AbortController();
  const result = Promise.withResolvers<string>();
  return { abandoned, result, ...createFlight(result.promise, abandoned) };
}

it("ends when everybody who waited has left, and not before", () => {
  const { join, isAbandoned } = flight();
  const [one, two] = [new AbortController(), new AbortController()];
  void join(one.signal);
  void join(two.signal);
  one.abort();
  one.abort();
  expect(isAbandoned()).toBe(false);
  two.abort();
  expect(isAbandoned()).toBe(true);
});

it("goes on for somebody who cannot leave", () => {
  const { join, isAbandoned } = flight();
  const one = new AbortController();
  void join(undefined);
  void join(one.signal);
  one.abort();
  expect(isAbandoned()).toBe(false);
});

it("counts whoever had left before joining", () => {
  const { join, isAbandoned } = flight();
  void join(AbortSignal.abort());
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
