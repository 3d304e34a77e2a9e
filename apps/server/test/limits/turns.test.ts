import { describe, expect, it } from "vitest";
import { createTurns } from "../../src/limits/turns.ts";

const never = new AbortController().signal;

function task() {
  const { promise, resolve } = Promise.withResolvers<string>();
  let isRunning = false;
  return { end: () => resolve("done"), isRunning: () => isRunning, run: () => ((isRunning = true), promise) };
}

describe("turns", () => {
  it("let each do so much at once, in order, and keep nobody waiting for another", async () => {
    const turns = createTurns({ most: 2, waitMs: null, ofWhat: "things" });
    const tasks = [task(), task(), task(), task()];
    const mine = tasks.map(({ run }) => turns.take("me", never, run));
    const theirs = task();
    const other = turns.take("you", never, theirs.run);
    await Promise.resolve();
    expect(tasks.map(({ isRunning }) => isRunning())).toEqual([true, true, false, false]);
    expect(theirs.isRunning()).toBe(true);
    tasks[1]!.end();
    await mine[1];
    await Promise.resolve();
    expect(tasks.map(({ isRunning }) => isRunning())).toEqual([true, true, true, false]);
    for (const { end } of [...tasks, theirs]) end();
    expect(await Promise.all([...mine, other])).toEqual(Array.from({ length: 5 }, () => "done"));
  });

  it("are refused after a while, and their place is not kept", async () => {
    const turns = createTurns({ most: 1, waitMs: 20, ofWhat: "things" });
    const first = task();
    const running = turns.take("me", never, first.run);
    await expect(turns.take("me", never, task().run)).rejects.toMatchObject({
      code: "rate_limited",
      limit: "1 things at once",
      retryAfterSeconds: 1,
    });
    first.end();
    await running;
    expect(await turns.take("me", never, async () => "next")).toBe("next");
  });

  it("are given up by whoever leaves, and pass on where a task fails", async () => {
    const turns = createTurns({ most: 1, waitMs: null, ofWhat: "things" });
    const failing = Promise.withResolvers<string>();
    const running = turns.take("me", never, () => failing.promise);
    const gone = new AbortController();
    const left = turns.take("me", gone.signal, async () => "left");
    const next = turns.take("me", never, async () => "next");
    gone.abort(new Error("gone"));
    await expect(left).rejects.toThrow("gone");
    failing.reject(new Error("failed"));
    await expect(running).rejects.toThrow("failed");
    expect(await next).toBe("next");
    await expect(turns.take("me", gone.signal, async () => "never")).rejects.toThrow("gone");
  });
});
