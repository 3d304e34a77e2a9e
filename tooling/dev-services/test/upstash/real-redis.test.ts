import { setTimeout as sleep } from "node:timers/promises";
import { type Redis } from "@upstash/redis";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type RedisServer, startRedisServer } from "../../src/redis/index.ts";
import {
  type CommandRunner,
  createRedisRunner,
  startUpstashBridge,
  type UpstashBridge,
} from "../../src/upstash/index.ts";
import { ask, post } from "./support/ask.ts";
import { clientOf } from "./support/client.ts";
import { describeWithRedis } from "../../src/testing/index.ts";

const COMPARE_AND_DELETE =
  "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

describeWithRedis("a real Redis behind the bridge", () => {
  let server: RedisServer;
  let runner: CommandRunner;
  let bridge: UpstashBridge;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedisServer();
    runner = await createRedisRunner(server.url);
    bridge = await startUpstashBridge({ runner });
    client = clientOf(bridge);
  });
  afterEach(async () => {
    await server.restart();
    await untilAnswered(client);
  });
  afterAll(async () => {
    await bridge.close();
    await runner.close();
    await server.stop();
  });

  it("says WRONGTYPE, alone and as one item of a transaction", async () => {
    await client.lpush("list", "a");
    const error = "WRONGTYPE Operation against a key holding the wrong kind of value";
    await expect(client.get("list")).rejects.toThrow(error);
    expect(
      await post(bridge, "/multi-exec", [
        ["GET", "list"],
        ["LLEN", "list"],
      ]),
    ).toEqual({
      status: 200,
      body: [{ error }, { result: 1 }],
    });
  });

  it.each(["allow-key-locking", "no-writes,allow-key-locking"])(
    "runs a script with flags that only Upstash knows: %s",
    async (flags) => {
      const script = `#!lua flags=${flags}\nreturn redis.call('get', KEYS[1])`;
      await client.set("locked", "kept");
      expect(await client.eval(script, ["locked"], [])).toBe("kept");
      expect(await client.multi().eval(script, ["locked"], []).exec()).toEqual(["kept"]);
    },
  );

  it("runs a script that deletes a key only if it holds the value", async () => {
    await client.set("lock", "mine");
    expect(await client.eval(COMPARE_AND_DELETE, ["lock"], ["theirs"])).toBe(0);
    expect(await client.get("lock")).toBe("mine");
    expect(await client.eval(COMPARE_AND_DELETE, ["lock"], ["mine"])).toBe(1);
    expect(await client.get("lock")).toBeNull();
  });

  it("answers nested arrays, statuses in them included, as the client decodes them", async () => {
    const script = "return {'OK', {'ü', 1, {'x'}}, redis.status_reply('OK'), redis.error_reply('ERR no')}";
    expect(await client.eval(script, [], [])).toEqual(["OK", ["ü", 1, ["x"]], "OK", "ERR no"]);
  });

  it("answers the types the in-process store does not have", async () => {
    await client.hset("hash", { name: "Zoë", n: 1 });
    expect(await client.hgetall("hash")).toEqual({ name: "Zoë", n: 1 });
    await client.zadd("sorted", { score: 1.5, member: "a" }, { score: 2, member: "b" });
    expect(await client.zrange("sorted", 0, -1, { withScores: true })).toEqual(["a", 1.5, "b", 2]);
  });

  it("answers an error at once while Redis is dead, and answers again when it is back", async () => {
    await client.set("k", "v");
    await server.kill();
    const asked = performance.now();
    await expect(client.get("k")).rejects.toThrow("ERR Redis");
    await expect(client.multi().get("k").exec()).rejects.toThrow("ERR Redis");
    expect(await ask(bridge, "/get/k")).toEqual({
      status: 503,
      body: { error: "ERR Redis is not reachable" },
    });
    expect(performance.now() - asked).toBeLessThan(500);

    await server.restart();
    await untilAnswered(client);
    expect(await client.set("k", "again")).toBe("OK");
    expect(await client.get("k")).toBe("again");
  });

  it("answers an error to the requests under way when Redis dies", async () => {
    server.pause();
    const waiting = [
      post(bridge, "/", ["GET", "k"]),
      post(bridge, "/pipeline", [
        ["GET", "k"],
        ["GET", "k"],
      ]),
      post(bridge, "/multi-exec", [["GET", "k"]]),
    ];
    await sleep(100);
    await server.kill();
    const gone = { status: 503, body: { error: "ERR Redis went away before it answered" } };
    expect(await Promise.all(waiting)).toEqual([gone, gone, gone]);
  });

  it("leaves the deadline to the client while Redis hangs, and answers later requests when it is back", async () => {
    const hurried = clientOf(bridge, { signal: () => AbortSignal.timeout(100) });
    await client.set("k", "v");
    server.pause();
    const asked = performance.now();
    await expect(hurried.get("k")).rejects.toThrow(expect.objectContaining({ name: "TimeoutError" }));
    const waited = performance.now() - asked;
    expect(waited).toBeGreaterThan(80);
    expect(waited).toBeLessThan(500);
    server.resume();
    expect(await client.get("k")).toBe("v");
  });

  it("refuses to begin without Redis", async () => {
    await server.kill();
    await expect(createRedisRunner(server.url)).rejects.toThrow("ECONNREFUSED");
  });

  it("ends while a request waits for a Redis that hangs", async () => {
    const own = await createRedisRunner(server.url);
    const closing = await startUpstashBridge({ runner: own });
    server.pause();
    const waiting = ask(closing, "/get/k").catch((error: unknown) => error);
    await sleep(100);
    await closing.close();
    await own.close();
    expect(await waiting).toBeInstanceOf(TypeError);
  });
});

/** Waits until the runner has found its Redis again. */
async function untilAnswered(client: Redis): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.ping();
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(20);
    }
  }
}
