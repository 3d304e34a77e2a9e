import { describe, expect, it } from "vitest";
import { createCheckReadiness } from "../src/serve/check-readiness.ts";

describe("readiness", () => {
  it("is looked into once for all who ask together or within a second, and then anew", async () => {
    let now = 0;
    let asked = 0;
    const answer = Promise.withResolvers<string | null>();
    const check = createCheckReadiness({
      flags: [],
      probes: { "the database": () => ((asked += 1), answer.promise) },
      monotonic: () => now,
    });
    const together = Array.from({ length: 1_000 }, check);
    answer.resolve("the database is on holiday");
    for (const reasons of await Promise.all(together))
      expect(reasons).toEqual(["the database is on holiday"]);
    now += 999;
    await check();
    expect(asked).toBe(1);
    now += 1;
    await check();
    expect(asked).toBe(2);
  });

  it("names what does not answer, or fails, without waiting for it", async () => {
    const check = createCheckReadiness({
      flags: [],
      probes: {
        "the database": () => new Promise(() => {}),
        "the cache": () => Promise.reject(new Error("secret")),
        "the rest": async () => null,
      },
      monotonic: () => 0,
      timeoutMs: 20,
    });
    expect(await check()).toEqual(["the database does not answer", "the cache does not answer"]);
  });

  it("says at once what this process knows by itself", async () => {
    let isStopping = false;
    const check = createCheckReadiness({
      flags: [() => (isStopping ? "the server is stopping" : null)],
      probes: {},
      monotonic: () => 0,
    });
    expect(await check()).toEqual([]);
    isStopping = true;
    expect(await check()).toEqual(["the server is stopping"]);
  });
});
