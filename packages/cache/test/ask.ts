import { type CacheEntry } from "@usage-stats/core";
import { type CacheReport, type SharedCache } from "../src/result-cache.ts";

type Asked = { text: string; hit: boolean; report: CacheReport | null };

/** Asks as one request of its own does. */
export async function ask(
  cache: SharedCache,
  entry: CacheEntry,
  compute: () => string | Promise<string> = () => "new",
): Promise<Asked> {
  const request = cache.forRequest();
  const { payload, hit } = await request.remember(entry, async () => compute());
  return { text: textOf(payload.bytes), hit, report: request.report() };
}

/** What a request finds, without making it. */
export async function peek(cache: SharedCache, entry: CacheEntry): Promise<string | null> {
  const payload = await cache.forRequest().peek(entry);
  return payload === null ? null : textOf(payload.bytes);
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
