import { hash } from "node:crypto";
import { createCacheKeys } from "./cache-keys.ts";

export { type CacheKeys, EVERYTHING } from "./cache-keys.ts";

/** The keys by Node's SHA-256, which takes no turn of the event loop as WebCrypto's does. */
export const { cacheKeys, generationKey, leaseKey } = createCacheKeys((text) =>
  hash("sha256", text, "base64url"),
);
