import { isIPv6 } from "node:net";
import { getConnInfo } from "@hono/node-server/conninfo";
import { type Context } from "hono";

/**
 * Where a request comes from: the other end of its connection or, behind a number of proxies that are trusted, what the outermost of them
 * added to `X-Forwarded-For`. Whatever stands left of that, anybody may have written. IPv6 addresses count by their /64, which
 * is what one household has.
 */
export function clientAddress(context: Context, trustedProxies: number): string {
  const forwarded = (context.req.header("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
  const address = trustedProxies > 0 ? forwarded.at(-trustedProxies) : undefined;
  return networkOf(address || (getConnInfo(context).remote.address ?? "unknown"));
}

function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return mapped[1]!;
  if (!isIPv6(address)) return address.slice(0, 100);
  const [head = "", tail] = address.replace(/%.*$/, "").split("::");
  const groups = (text: string) => (text === "" ? [] : text.split(":"));
  const given = [...groups(head), ...groups(tail ?? "")].length;
  const zeros = tail === undefined ? [] : Array.from({ length: 8 - given }, () => "0");
  const all = [...groups(head), ...zeros, ...groups(tail ?? "")];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}
