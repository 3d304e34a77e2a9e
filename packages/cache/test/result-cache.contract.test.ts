import { randomUUID } from "node:crypto";
import { type CacheEntry } from "@usage-stats/core";
import { describe, expect, it, vi } from "vitest";
import { type CacheEvent } from "../src/cache-events.ts";
import { type SharedCache } from "../src/result-cache.ts";
import { ask, peek } from "./ask.ts";
import { describeAdapters, describeSharedAdapters } from "./stores.ts";

const entry = (change: Partial<CacheEntry> = {}): CacheEntry => ({
  kind: "answer",
  userDid: "did:abt:z1alice",
  fields: [1, "UTC", ["model"], null],
  ...change,
});

async function keep(cache: SharedCache, asked: CacheEntry, text = "old"): Promise<void> {
  expect(await ask(cache, asked, () => text)).toMatchObject({ text, hit: false });
  await cache.close();
}

const barrier = () => new Promise((resolve) => setTimeout(resolve, 60));

describeAdapters((adapter) => {
  it("computes once, and gives that from then on", async () => {
    const cache = adapter().cache();
    await keep(cache, entry());
    expect(await ask(cache, entry())).toMatchObject({
      text: "old",
      hit: true,
      report: { outcome: "hit", expiresAt: expect.closeTo(Date.now() + 60_000, -4) as number },
    });
  });

  it("peeks without computing, and looks only once for what it then makes", async () => {
    const events: CacheEvent[] = [];
    const cache = adapter().cache({ onEvent: (event) => events.push(event) });
    const request = cache.forRequest();
    expect(await request.peek(entry())).toBeNull();
    expect(request.report()).toBeNull();
    await request.remember(entry(), async () => "text");
    expect(request.report()).toMatchObject({ outcome: "miss", expiresAt: null });
    await cache.close();
    expect(await peek(cache, entry())).toBe("text");
    expect(events).toEqual([
      { type: "lookup", outcome: "miss", kind: "answer" },
      { type: "lookup", outcome: "hit", kind: "answer" },
    ]);
  });

  it.each([
    ["kind", { kind: "other" }],
    ["user", { userDid: "did:abt:z1bob" }],
    ["everyone", { userDid: null }],
    ["a number", { fields: [2, "UTC", ["model"], null] }],
    ["a text", { fields: [1, "Asia/Tokyo", ["model"], null] }],
    ["a list", { fields: [1, "UTC", ["model", "app"], null] }],
    ["nothing", { fields: [1, "UTC", ["model"], ""] }],
    ["one more", { fields: [1, "UTC", ["model"], null, null] }],
  ])("keeps what differs in %s apart", async (_, change) => {
    const cache = adapter().cache();
    await keep(cache, entry());
    expect(await ask(cache, entry(change))).toMatchObject({ text: "new", hit: false });
  });

  it.each([
    ["with quotes, line ends and all planes", '{"a":"\\"\n\r\0é𝄞"}'],
    ["that is empty", ""],
    ["that is long", JSON.stringify(Array.from({ length: 20_000 }, () => randomUUID()))],
    ["that is long, of one letter", "é".repeat(900_000)],
  ])("keeps a text %s as it is", async (_, text) => {
    const cache = adapter().cache();
    await keep(cache, entry(), text);
    const kept = await ask(cache, entry());
    expect(kept.hit).toBe(true);
    expect(kept.text === text).toBe(true);
  });

  it("does not keep what is too large, and says so", async () => {
    const events: CacheEvent[] = [];
    const cache = adapter().cache({ onEvent: (event) => events.push(event) });
    const text = Array.from({ length: 120_000 }, () => randomUUID()).join();
    await keep(cache, entry(), text);
    expect(await ask(cache, entry())).toMatchObject({ text: "new", hit: false });
    expect(events).toContainEqual(expect.objectContaining({ type: "too_large", kind: "answer" }));
  });

  it("lets a computation's error through, and keeps nothing of it", async () => {
    const cache = adapter().cache();
    await expect(ask(cache, entry(), () => Promise.reject(new Error("no database")))).rejects.toThrow(
      "no database",
    );
    expect(await ask(cache, entry())).toMatchObject({ text: "new", hit: false });
  });

  it("forgets a text after its time", async () => {
    const cache = adapter().cache({ ttlMs: 50 });
    await keep(cache, entry());
    await barrier();
    expect(await ask(cache, entry())).toMatchObject({ text: "new", hit: false });
  });

  it("does not give out what should have expired, whatever its store thinks", async () => {
    let now = new Date("2025-06-20T12:00:00Z");
    const cache = adapter().cache({ ttlMs: 60_000, clock: { now: () => now } });
    await keep(cache, entry());
    now = new Date("2025-06-20T12:00:59Z");
    expect((await ask(cache, entry())).hit).toBe(true);
    now = new Date("2025-06-20T12:01:00Z");
    expect((await ask(cache, entry())).hit).toBe(false);
  });

  describe("after a change", () => {
    it.each([
      ["of the user", entry(), ["did:abt:z1alice"]],
      ["of several users", entry(), ["did:abt:z1bob", "did:abt:z1alice"]],
      ["of a user, everyone's", entry({ userDid: null }), ["did:abt:z1bob"]],
    ])("%s, computes anew", async (_, asked, users) => {
      const cache = adapter().cache();
      await keep(cache, asked);
      await cache.invalidate(users);
      expect(await ask(cache, asked)).toMatchObject({ text: "new", hit: false });
      await cache.close();
      expect(await ask(cache, asked, () => "newer")).toMatchObject({ text: "new", hit: true });
    });

    it("of another user, keeps what it has; and of none", async () => {
      const cache = adapter().cache();
      await keep(cache, entry());
      await cache.invalidate(["did:abt:z1bob"]);
      await cache.invalidate([]);
      expect(await ask(cache, entry())).toMatchObject({ text: "old", hit: true });
    });

    it("that nobody can name, computes everything anew", async () => {
      const cache = adapter().cache();
      await keep(cache, entry());
      await keep(cache, entry({ userDid: null }));
      await cache.invalidateAll();
      expect(await ask(cache, entry())).toMatchObject({ hit: false });
      expect(await ask(cache, entry({ userDid: null }))).toMatchObject({ hit: false });
    });

    it("during a computation, gives its text to nobody who asks later", async () => {
      const cache = adapter().cache();
      const slow = Promise.withResolvers<string>();
      const began = Promise.withResolvers<void>();
      const before = ask(cache, entry(), () => {
        began.resolve();
        return slow.promise;
      });
      await began.promise;
      await cache.invalidate(["did:abt:z1alice"]);
      expect(await ask(cache, entry())).toMatchObject({ text: "new", hit: false });
      slow.resolve("old");
      expect((await before).text).toBe("old");
      await cache.close();
      expect((await ask(cache, entry(), () => "newer")).text).not.toBe("old");
    });
  });

  it("goes on computing while one of those who asked waits, and ends when none does", async () => {
    const cache = adapter().cache();
    const [one, two] = [new AbortController(), new AbortController()];
    let wanted: AbortSignal | undefined;
    const compute = (signal?: AbortSignal) =>
      new Promise<string>((_, reject) => {
        wanted = signal;
        signal?.addEventListener("abort", () => reject(new Error("ended")));
      });
    const asked = [one, two].map(({ signal }) =>
      cache
        .forRequest(() => signal)
        .remember(entry(), compute)
        .catch(String),
    );
    await vi.waitUntil(() => wanted !== undefined);
    await barrier();
    one.abort(new Error("one left"));
    expect(wanted?.aborted).toBe(false);
    two.abort(new Error("two left"));
    expect(wanted?.aborted).toBe(true);
    // Whoever asks in that moment is not answered by what is ending.
    expect(await ask(cache, entry(), () => "made anew")).toMatchObject({ text: "made anew" });
    expect(await Promise.all(asked)).toEqual(["Error: one left", "Error: two left"]);
    await cache.close();
  });

  it("computes once for 200 who ask at once", async () => {
    const cache = adapter().cache();
    let computations = 0;
    const answers = await Promise.all(
      Array.from({ length: 200 }, () =>
        ask(cache, entry(), async () => {
          computations += 1;
          await barrier();
          return "text";
        }),
      ),
    );
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(["text"]));
    expect(computations).toBe(1);
  });
});

describeSharedAdapters((adapter) => {
  it("computes at most twice for 200 who ask two servers at once, and both see each other's changes", async () => {
    const caches = [adapter().cache(), adapter().cache()];
    let computations = 0;
    const compute = async () => {
      computations += 1;
      await barrier();
      return "old";
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => ask(caches[i % 2]!, entry(), compute)));
    expect(computations).toBeLessThanOrEqual(2);
    await Promise.all(caches.map((cache) => cache.close()));
    expect(await ask(caches[0]!, entry())).toMatchObject({ text: "old", hit: true });
    await caches[1]!.invalidate(["did:abt:z1alice"]);
    expect(await ask(caches[0]!, entry())).toMatchObject({ text: "new", hit: false });
  });

  it("goes on trusting the store when all servers tell it of the same change at once", async () => {
    const caches = Array.from({ length: 5 }, () => adapter().cache());
    for (let i = 0; i < 10; i++) {
      await Promise.all(caches.map((cache) => cache.invalidate(["did:abt:z1alice"])));
      for (const cache of caches) expect((await ask(cache, entry())).report?.outcome).not.toBe("bypass");
      await Promise.all(caches.map((cache) => cache.close()));
    }
  });

  it("waits for another server only so long", async () => {
    const caches = [adapter().cache(), adapter().cache()];
    const stuck = Promise.withResolvers<string>();
    const began = Promise.withResolvers<void>();
    const first = ask(caches[0]!, entry(), () => {
      began.resolve();
      return stuck.promise;
    });
    await began.promise;
    expect(await ask(caches[1]!, entry())).toMatchObject({ text: "new", hit: false });
    stuck.resolve("late");
    expect((await first).text).toBe("late");
  });
});
