import { BlockList, isIP } from "node:net";
import * as z from "zod";

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** The address of a service over HTTP, without a user or a password, which would be logged and sent on. */
export function serviceUrl(example: string) {
  return z.url({ protocol: /^https?$/, error: `must be a URL such as ${example}` }).refine((url) => {
    const { username, password } = new URL(url);
    return username === "" && password === "";
  }, "must hold no user or password");
}

/**
 * Whether what is sent there may be read and changed on the way: it is plain HTTP, leaves this machine, and nobody said that the way is
 * safe. Names are not looked up: where they lead may change.
 */
export function isExposed(url: string | undefined, plainHosts: readonly string[]): boolean {
  if (url === undefined) return false;
  const { protocol, hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return protocol === "http:" && !isThisMachine(host) && !plainHosts.includes(host);
}

/** Whether a host is an address, or a name, of nothing but this machine. */
export function isThisMachine(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === "localhost" || host.endsWith(".localhost");
  return LOOPBACK.check(host, version === 4 ? "ipv4" : "ipv6");
}
