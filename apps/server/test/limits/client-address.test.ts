import { Hono } from "hono";
import { expect, it } from "vitest";
import { clientAddress } from "../../src/http/client-address.ts";

async function addressOf(from: string, proxies: number, forwarded?: string): Promise<string> {
  const app = new Hono().get("/", (context) => context.text(clientAddress(context, proxies)));
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
])("%s behind %i proxies with %j is %s", async (from, proxies, forwarded, expected) => {
  expect(await addressOf(from, proxies, forwarded)).toBe(expected);
});
