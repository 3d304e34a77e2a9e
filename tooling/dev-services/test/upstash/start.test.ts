import { expect, it } from "vitest";
import { createMemoryRunner, startUpstashBridge } from "../../src/upstash/index.ts";
import { ask } from "./support/ask.ts";

it("needs nothing told: loopback, a free port, a token of its own and an empty store", async () => {
  const [one, other] = await Promise.all([startUpstashBridge(), startUpstashBridge()]);
  expect(one.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(one.token.length).toBeGreaterThanOrEqual(32);
  expect(one.token).not.toBe(other.token);
  expect(await ask(one, "/set/k/v")).toEqual({ status: 200, body: { result: "OK" } });
  expect(await ask(other, "/get/k")).toEqual({ status: 200, body: { result: null } });
  await Promise.all([one.close(), other.close()]);
});

it("listens where it is told, with the token it is told, and says when it cannot", async () => {
  const first = await startUpstashBridge({ token: "t0ken" });
  const port = Number(new URL(first.url).port);
  await expect(startUpstashBridge({ port })).rejects.toThrow("EADDRINUSE");
  await first.close();
  const second = await startUpstashBridge({ port, token: "t0ken" });
  expect(second).toMatchObject({ url: first.url, token: "t0ken" });
  expect(await ask(second, "/get/k")).toEqual({ status: 200, body: { result: null } });
  await second.close();
});

it("answers nobody once it is closed, and leaves the runner it was given open", async () => {
  const runner = createMemoryRunner();
  const bridge = await startUpstashBridge({ runner });
  await ask(bridge, "/set/k/v");
  await Promise.all([bridge.close(), bridge.close()]);
  await bridge.close();
  await expect(ask(bridge, "/get/k")).rejects.toThrow("fetch failed");
  expect(String(await runner.run(["GET", "k"]))).toBe("v");
});
