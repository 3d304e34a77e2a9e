import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { type Payload } from "@usage-stats/core";
import { describe, expect, it } from "vitest";
import { cacheKeys } from "../src/cache-key.ts";
import { type CacheEvent } from "../src/cache-events.ts";
import { createPayload, digestOf, payloadSize } from "../src/compress.ts";
import { createInProcessCache } from "../src/create-caches.ts";
import { type SharedCache } from "../src/result-cache.ts";
import { clock, describeAdapters, describeSharedAdapters } from "./stores.ts";

const TEXT = JSON.stringify(Array.from({ length: 900 }, (_, i) => ({ day: i, calls: i * 7 })));
const sent = { kind: "answer", userDid: "did:abt:z1alice", fields: [], isSent: true };
const history = { ...sent, kind: "history", isSent: false };
const encode = (text: string) => new TextEncoder().encode(text);

async function kept(cache: SharedCache, entry = sent, text = TEXT): Promise<Payload> {
  await cache.forRequest().remember(entry, async () => text);
  await cache.close();
  const payload = await cache.forRequest().peek(entry);
  expect(payload).not.toBeNull();
  return payload!;
}

const unpack = { br: brotliDecompressSync, gzip: gunzipSync };

describeAdapters((adapter) => {
  it("keeps what is sent compressed too, with the digest of its text", async () => {
    const { bytes, digest, encoded } = await kept(adapter().cache());
    expect(Buffer.from(bytes).toString()).toBe(TEXT);
    expect(digest).toBe(digestOf(encode(TEXT)));
    expect(Object.keys(encoded!)).toContain("gzip");
    for (const [coding, compressed] of Object.entries(encoded!)) {
      expect(compressed.length).toBeLessThan(TEXT.length / 4);
      expect(unpack[coding as "br" | "gzip"](compressed).toString()).toBe(TEXT);
    }
  });

  it("gives one that is short plain, with the digest of its text", async () => {
    const { bytes, digest, encoded } = await kept(adapter().cache(), sent, "short");
    expect([Buffer.from(bytes).toString(), digest, encoded]).toEqual([
      "short",
      digestOf(encode("short")),
      {},
    ]);
  });

  it("spends nothing on compressing what is never sent", async () => {
    const { bytes, encoded = {} } = await kept(adapter().cache(), history);
    expect(Buffer.from(bytes).toString()).toBe(TEXT);
    expect(encoded).toEqual({});
  });

  it("gives the same entry, whether or not whoever asks says that it is sent", async () => {
    const cache = adapter().cache();
    await kept(cache);
    const { isSent: _, ...unsaid } = sent;
    expect(await cache.forRequest().peek(unsaid)).not.toBeNull();
  });

  it("gives whoever waits for it the text before it is compressed", async () => {
    const { payload } = await adapter()
      .cache()
      .forRequest()
      .remember(sent, async () => TEXT);
    expect(Buffer.from(payload.bytes).toString()).toBe(TEXT);
  });
});

describeSharedAdapters((adapter) => {
  it("keeps one copy in the store, which is what is sent", async () => {
    await kept(adapter().cache());
    const [value] = await adapter().store.read([cacheKeys(sent).value]);
    expect(String(value).length).toBeLessThan(TEXT.length / 2);
  });

  describe.each([
    ["short", "a short text, that is kept plain"],
    ["long", TEXT],
  ])("of a %s text", (_, text) => {
    it("whatever character in the store is changed, gives the text or makes it anew", async () => {
      const events: CacheEvent[] = [];
      const cache = adapter().cache({ onEvent: (event) => events.push(event) });
      await kept(cache, sent, text);
      const key = cacheKeys(sent).value;
      const value = String((await adapter().store.read([key]))[0]);
      const step = Math.max(1, Math.floor(value.length / 150));
      for (let at = 0; at < value.length; at += step) {
        const code = value.charCodeAt(at) ^ 1;
        await adapter().store.write(
          [[key, value.slice(0, at) + String.fromCharCode(code) + value.slice(at + 1)]],
          60_000,
        );
        const found = await cache.forRequest().peek(sent);
        if (found === null) continue;
        expect(Buffer.from(found.bytes).toString()).toBe(text);
        for (const gzip of Object.values(found.encoded ?? {})) expect(gunzipSync(gzip).toString()).toBe(text);
      }
      expect(events.some(({ type }) => type === "unreadable")).toBe(true);
    });
  });
});

describe("a cache in this process", () => {
  it("counts all that it keeps of a text against its bytes", async () => {
    const size = payloadSize(await createPayload(encode(TEXT), ["br", "gzip"]));
    expect(size).toBeGreaterThan(TEXT.length * 1.1);
    // Its limit for one text is a sixteenth: these fit 18 plain texts, but only as many as there is room for with what is compressed.
    const maxBytes = 18 * (TEXT.length + 1_000);
    const cache = createInProcessCache({ clock, ttlMs: 60_000, maxBytes });
    const entries = Array.from({ length: 18 }, (_, i) => ({ ...sent, fields: [i] }));
    for (const entry of entries) {
      await cache.forRequest().remember(entry, async () => TEXT);
      await cache.close();
    }
    const found = await Promise.all(entries.map(async (entry) => cache.forRequest().peek(entry)));
    const left = found.filter((payload) => payload !== null);
    expect(left.length).toBeLessThan(18);
    expect(left.length).toBeGreaterThan(18 / 2);
    expect(left.reduce((sum, payload) => sum + payloadSize(payload), 0)).toBeLessThanOrEqual(maxBytes);
  });
});
