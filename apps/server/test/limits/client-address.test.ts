import { type HttpBindings } from "@hono/node-server";
import fc from "fast-check";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { clientAddress } from "../../src/http/client-address.ts";

async function addressOf(from: string, proxies: number, forwarded?: string): Promise<string> {
  const app = new Hono<{ Bindings: HttpBindings }>().get("/", (context) =>
    context.text(clientAddress(context, proxies)),
  );
  const headers = forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  const response = await app.request("/", { headers }, { incoming: { socket: { remoteAddress: from } } });
  return response.text();
}

it.each([
  ["10.0.0.1", 0, undefined, "10.0.0.1"],
  ["10.0.0.1", 0, "6.6.6.6", "10.0.0.1"],
  ["10.0.0.1", 1, "6.6.6.6, 1.2.3.4", "1.2.3.4"],
  ["10.0.0.1", 2, "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"],
  ["10.0.0.1", 2, "1.2.3.4", "10.0.0.1"],
  ["10.0.0.1", 1, undefined, "10.0.0.1"],
  ["10.0.0.1", 1, "1.2.3.4,", "10.0.0.1"],
  ["::ffff:10.0.0.1", 0, undefined, "10.0.0.1"],
  ["2001:db8:1:2:3:4:5:6", 0, undefined, "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff::", 0, undefined, "2001:db8:1:2::/64"],
  ["2001:0DB8:1::6", 0, undefined, "2001:db8:1:0::/64"],
  ["::1", 0, undefined, "0:0:0:0::/64"],
  ["fe80::1%eth0", 0, undefined, "fe80:0:0:0::/64"],
  // Proxies that add the port, or write addresses as RFC 7239 does.
  ["10.0.0.1", 1, "1.2.3.4:5678", "1.2.3.4"],
  ["10.0.0.1", 1, '"1.2.3.4:5678"', "1.2.3.4"],
  ["10.0.0.1", 1, "[2001:db8::1]:443", "2001:db8:0:0::/64"],
  ["10.0.0.1", 1, '"[2001:DB8::1]:_p"', "2001:db8:0:0::/64"],
  ["10.0.0.1", 1, "[2001:db8::1]", "2001:db8:0:0::/64"],
  ["10.0.0.1", 1, "2001:db8:0:0:1::1%eth0", "2001:db8:0:0::/64"],
  ["fe80::1%br-lan", 0, undefined, "fe80:0:0:0::/64"],
  ["10.0.0.1", 1, "[fe80::1%eth0.100]:443", "fe80:0:0:0::/64"],
  // IPv4 addresses within IPv6.
  ["10.0.0.1", 1, "::ffff:1.2.3.4:5678", "1.2.3.4"],
  ["::1.2.3.4", 0, undefined, "0:0:0:0::/64"],
  ["::102:304", 0, undefined, "0:0:0:0::/64"],
  ["::ffff:102:304", 0, undefined, "1.2.3.4"],
  ["0:0:0:0:0:FFFF:1.2.3.4", 0, undefined, "1.2.3.4"],
  ["10.0.0.1", 1, "[::ffff:1.2.3.4]:80", "1.2.3.4"],
  ["64:ff9b::102:304", 0, undefined, "1.2.3.4"],
  ["2002:102:304:7::1", 0, undefined, "1.2.3.4"],
  // No addresses: they count with the proxy's own.
  ["10.0.0.1", 1, "unknown", "10.0.0.1"],
  ["10.0.0.1", 1, "_hidden", "10.0.0.1"],
  ["10.0.0.1", 1, "1.2.3", "10.0.0.1"],
  ["10.0.0.1", 1, "0x01020304", "10.0.0.1"],
  ["10.0.0.1", 1, "1.2.3.400", "10.0.0.1"],
  ["10.0.0.1", 1, "[1.2.3.4]:80:90", "10.0.0.1"],
])("%s behind %i proxies with %j is %s", async (from, proxies, forwarded, expected) => {
  expect(await addressOf(from, proxies, forwarded)).toBe(expected);
});

const group = fc.integer({ min: 0, max: 0xffff });

/** One address as different programs write it. */
const spellings = (groups: number[]) => {
  const full = groups.map((part) => part.toString(16).padStart(4, "0")).join(":");
  const short = groups.map((part) => part.toString(16)).join(":");
  return [full, short, full.toUpperCase(), `[${short}]`, `[${full}]:443`, `"[${short}]:_x"`, `${short}%en0`];
};

it("is one for one network, however it is written, and another for another", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(fc.constantFrom(0x2001, 0x2a00, 0xfd00), group, group, group),
      fc.tuple(group, group, group, group),
      fc.tuple(group, group, group, group),
      fc.nat(3),
      fc.integer({ min: 1, max: 0xffff }),
      async (network, one, other, at, change) => {
        const seen = [...spellings([...network, ...one]), ...spellings([...network, ...other])];
        const networks = await Promise.all(seen.map((text) => addressOf("10.0.0.1", 1, text)));
        expect(new Set(networks).size).toBe(1);
        const neighbour = network.with(at, network[at]! ^ change);
        fc.pre(neighbour[0] !== 0x2002 && neighbour[0] !== 0 && neighbour[0] !== 0x64);
        expect(await addressOf("10.0.0.1", 1, spellings([...neighbour, ...one])[1])).not.toBe(networks[0]);
      },
    ),
  );
});
