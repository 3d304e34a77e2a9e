import ipaddr from "ipaddr.js";
import { type Arrival } from "./http-request.ts";

/**
 * Tells where a request comes from: the other end of its connection or, behind a number of proxies that are trusted, what the outermost of
 * them added to `X-Forwarded-For`. Whatever stands left of that, anybody may have written. However an address is written, with a
 * port or without, it is one: IPv4 by itself, IPv6 by its /64, which is what one household has. What is no address counts with the
 * connection's own, so that nobody can invent one (docs/decisions/0028-one-address-however-written.md).
 */
export function clientAddress({ req, env }: Arrival, trustedProxies: number): string {
  const forwarded = (req.raw.headers.get("x-forwarded-for") ?? "").split(",");
  const added = trustedProxies > 0 ? forwarded.at(-trustedProxies) : undefined;
  return networkOf(added ?? "") ?? networkOf(env.incoming.socket.remoteAddress ?? "") ?? "unknown";
}

/** In brackets, as with a port, or quoted, as in `Forwarded` (RFC 7239). */
const IPV6_WRITTEN = /^"?\[([^\]]*)\](?::\w+)?"?$/;
const IPV4_WRITTEN = /^"?(?:::ffff:)?(\d+(?:\.\d+){3})(?::\w+)?"?$/i;
/** The interface of a link-local address (RFC 4007), which may have any name. */
const ZONE = /%.*$/;
/** An address within IPv6 by its last dots alone is taken for a mapped one where it begins with `::`. */
const DOTTED = /^::(?=\d+\.)/;

function networkOf(written: string): string | null {
  const text = written.trim();
  const inBrackets = IPV6_WRITTEN.exec(text)?.[1];
  const host = (inBrackets ?? IPV4_WRITTEN.exec(text)?.[1] ?? text).replace(ZONE, "").replace(DOTTED, "0::");
  if (ipaddr.IPv4.isValidFourPartDecimal(host)) return ipaddr.IPv4.parse(host).toString();
  if (!ipaddr.IPv6.isValid(host)) return null;
  const { parts } = ipaddr.IPv6.parse(host);
  const start = startOfIPv4(parts);
  if (start !== null) return new ipaddr.IPv4(parts.slice(start, start + 2).flatMap(bytesOf)).toString();
  return `${parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(":")}::/64`;
}

/** Where an IPv6 address holds the IPv4 address it stands for: mapped (RFC 4291), by NAT64 (RFC 6052), by 6to4 (RFC 3056). */
function startOfIPv4(parts: readonly number[]): number | null {
  const begins = (...first: number[]) => first.every((part, i) => parts[i] === part);
  if (begins(0, 0, 0, 0, 0, 0xffff) || begins(0x64, 0xff9b, 0, 0, 0, 0)) return 6;
  return begins(0x2002) ? 1 : null;
}

function bytesOf(part: number): [number, number] {
  return [part >> 8, part & 0xff];
}
