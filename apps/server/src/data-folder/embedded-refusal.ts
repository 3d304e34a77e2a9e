import { BlockList, isIP } from "node:net";
import { type Settings } from "../env.ts";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/**
 * Why the embedded database must not stand in for the one that is missing: everything looks like real use, so that calls would be
 * acknowledged into a demo. `null` where nothing does, or where it is asked for.
 */
export function embeddedRefusal({
  embedded,
  authSecret,
  authJwksUrl,
  host,
  isProduction,
  cache,
}: Pick<Settings, "embedded" | "authSecret" | "authJwksUrl" | "host" | "isProduction" | "cache">):
  | string
  | null {
  if (embedded === "on") return null;
  const signs = [
    authSecret !== undefined && "AUTH_SECRET is set",
    authJwksUrl !== undefined && "AUTH_JWKS_URL is set",
    // Other servers would give out what the demo's users spent.
    cache.kind === "upstash" && "UPSTASH_REDIS_REST_URL is set",
    isProduction && "NODE_ENV is production",
    !isLoopback(host) && "HOST is an address for other machines",
    embedded === "off" && "EMBEDDED is off",
  ].filter((sign) => sign !== false);
  if (signs.length === 0) return null;
  return `No DATABASE_URL is set, and ${signs.join(", and ")}. Set DATABASE_URL, or EMBEDDED=on to really use the embedded demo database.`;
}

function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host.toLowerCase() === "localhost";
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}
