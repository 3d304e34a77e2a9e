import { describe, expect, it } from "vitest";
import { cacheKeys, generationKey, leaseKey } from "../src/cache-key.ts";
import { type CacheEvent } from "../src/cache-events.ts";
import { ask, peek } from "./ask.ts";
import { describeSharedAdapters } from "./stores.ts";

const entry = { kind: "answer", userDid: "did:abt:z1alice", fields: [] };
const other = { ...entry, userDid: "did:abt:z1bob" };
const keys = cacheKeys(entry);

describeSharedAdapters((adapter) => {
  describe("what somebody else put in the cache's place", () => {
    const rubbish = ["", "null", "{}", "1", "OK", "x".repeat(1_000), '["a","b",1,"plain",0]\n'];

    it.each(rubbish)("is a miss and gets replaced, instead of a text: %j", async (value) => {
      const events: CacheEvent[] = [];
      const cache = adapter().cache({ onEvent: (event) => events.push(event) });
      await ask(cache, entry, () => "old");
      await cache.close();
      await adapter().store.write([[keys.value, value]], 60_000);
      expect(await ask(cache, entry, () => "text")).toMatchObject({ text: "text", hit: false });
      await cache.close();
      expect(await peek(cache, entry)).toBe("text");
      expect(events.filter(({ type }) => type === "unreadable")).not.toEqual([]);
    });

    it.each(rubbish)("is a miss and gets replaced, instead of a generation: %j", async (value) => {
      const cache = adapter().cache();
      await ask(cache, entry, () => "old");
      await cache.close();
      await adapter().store.write([[keys.generations[0], value]], 60_000);
      expect(await ask(cache, entry, () => "new")).toMatchObject({
        text: "new",
        hit: false,
      });
      await cache.close();
      await ask(cache, entry, () => "newer");
      await cache.close();
      expect(await peek(cache, entry)).toBe("newer");
    });

    it("is a miss and gets replaced: another user's text, and another user's generation", async () => {
      const cache = adapter().cache();
      await ask(cache, entry, () => "alice's");
      await ask(cache, other, () => "bob's");
      await cache.close();
      const [bobs, generation] = await adapter().store.read([
        cacheKeys(other).value,
        generationKey(other.userDid),
      ]);
      await adapter().store.write([[keys.value, String(bobs)]], 60_000);
      expect(await peek(cache, entry)).toBeNull();
      await adapter().store.write([[keys.generations[0], String(generation)]], 60_000);
      expect(await peek(cache, entry)).toBeNull();
      expect(await ask(cache, entry, () => "alice's")).toMatchObject({
        text: "alice's",
        hit: false,
      });
    });

    it.each(rubbish)("is no lease: %j", async (value) => {
      const cache = adapter().cache();
      await ask(cache, { ...entry, fields: [1] }, () => "");
      const generations = await adapter().store.read(keys.generations);
      const generation = generations.map((found) => String(found).split(" ")[1]).join(".");
      await adapter().store.write([[leaseKey(keys.value, generation), value]], 60_000);
      expect(await ask(cache, entry, () => "text")).toMatchObject({ text: "text", hit: false });
    });
  });
});
