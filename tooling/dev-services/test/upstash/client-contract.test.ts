import { describe, expect, it } from "vitest";
import { clientOf } from "./support/client.ts";
import { ENSURE, READ, REPLACE } from "./support/scripts.ts";
import { describeRedisRunner, describeRunners } from "./support/runners.ts";

const ENCODINGS = [{ responseEncoding: "base64" }, { responseEncoding: false }] as const;

const TEXTS = {
  "plain text": "hello",
  "the word OK": "OK",
  "an empty string": "",
  "UTF-8": "Grüße, 你好, עברית",
  emoji: "👩‍👩‍👧 🎉",
  "base64-looking text": "aGVsbG8=",
  "quotes, slashes and line breaks": `"a" \\ /b\r\n\t\u0000`,
  "one megabyte": "é1🎉x".repeat(125_000),
};

describeRunners((bridged) => {
  describe.each(ENCODINGS)("with the client's responseEncoding $responseEncoding", (encoding) => {
    const raw = () => clientOf(bridged(), { ...encoding, automaticDeserialization: false });
    const client = () => clientOf(bridged(), encoding);

    it.each(Object.entries(TEXTS))("gives back %s as it was stored", async (_, text) => {
      expect(await raw().set("text", text)).toBe("OK");
      expect(await raw().get("text")).toBe(text);
      expect(await raw().eval(READ, ["absent", "text"], [])).toEqual([null, text]);
    });

    it("gives back JSON as an object, or as its text without automatic deserialization", async () => {
      const value = { name: "Zoë", tags: ["a", null, 1.5], nested: { ok: true } };
      await client().set("json", value);
      expect(await client().get("json")).toEqual(value);
      expect(await raw().get("json")).toBe(JSON.stringify(value));
    });

    it("keeps numbers and booleans, which the client sends unquoted", async () => {
      const values = { number: 42, fraction: 0.25, yes: true };
      for (const [key, value] of Object.entries(values)) await client().set(key, value);
      expect(await client().eval(READ, Object.keys(values), [])).toEqual([42, 0.25, true]);
      expect(await raw().eval(READ, Object.keys(values), [])).toEqual(["42", "0.25", "true"]);
    });

    it("stores under keys in any language", async () => {
      await client().set("schlüssel/🔑 ?", "there");
      expect(await client().get("schlüssel/🔑 ?")).toBe("there");
    });

    it("answers a pipeline in order, with statuses, values, lists and nulls", async () => {
      const pipeline = raw().pipeline();
      pipeline
        .set("a", "OK")
        .get("a")
        .get("absent")
        .eval(READ, ["a", "absent"], [])
        .set("a", "b", { nx: true });
      expect(await pipeline.exec()).toEqual(["OK", "OK", null, ["OK", null], null]);
    });

    it("answers the lists of the cache's scripts, one within another too", async () => {
      expect(await raw().eval(ENSURE, ["a", "b"], [60_000, "1", "2"])).toEqual(["1", "2"]);
      expect(await raw().eval(ENSURE, ["b", "c"], [60_000, "3", "4"])).toEqual(["2", "4"]);
      expect(await raw().eval(REPLACE, ["a", "d"], [60_000, "5", "6"])).toEqual([
        ["1", null],
        ["5", "6"],
      ]);
    });
  });

  const client = () => clientOf(bridged());

  it("sets only absent keys with nx", async () => {
    expect(await client().set("k", "first", { nx: true })).toBe("OK");
    expect(await client().set("k", "second", { nx: true })).toBeNull();
    expect(await client().get("k")).toBe("first");
  });

  it("forgets a key when its time is over, and not before", async () => {
    await client().set("short", "x", { px: 150 });
    await client().set("long", "x", { px: 60_000 });
    expect(await client().get("short")).toBe("x");
    await bridged().later(200);
    expect(await client().eval(READ, ["short", "long"], [])).toEqual([null, "x"]);
    expect(await client().set("short", "again", { nx: true })).toBe("OK");
  });

  it("tells a pipeline's errors item by item when asked to keep them, and throws the first otherwise", async () => {
    const pipeline = () => client().pipeline().set("k", "text").set("k", "x", { px: -1 }).get("k");
    expect(await pipeline().exec({ keepErrors: true })).toEqual([
      { result: "OK", error: undefined },
      { result: undefined, error: "ERR invalid expire time in 'set' command" },
      { result: "text", error: undefined },
    ]);
    await expect(pipeline().exec()).rejects.toThrow("Command 2 [ set ] failed: ERR invalid expire time");
  });

  it("runs a transaction whole, with its errors item by item", async () => {
    expect(await client().multi().set("k", "1").get("k").exec()).toEqual(["OK", 1]);
    const failing = client().multi().set("k", "text").set("k", "x", { px: -1 }).set("after", "ran");
    expect(await failing.exec({ keepErrors: true })).toEqual([
      { result: "OK", error: undefined },
      { result: undefined, error: "ERR invalid expire time in 'set' command" },
      { result: "OK", error: undefined },
    ]);
    expect(await client().get("after")).toBe("ran");
  });

  it("lets nothing in between a transaction's commands", async () => {
    const other = clientOf(bridged(), { enableAutoPipelining: false });
    const transactions = Array.from({ length: 20 }, (_, i) =>
      client()
        .multi()
        .set("k", i)
        .eval(REPLACE, ["k"], [60_000, i + 0.5])
        .get("k")
        .exec(),
    );
    const singles = Array.from({ length: 20 }, () => other.set("k", "single"));
    const answers = await Promise.all(transactions);
    await Promise.all(singles);
    for (const [i, answer] of answers.entries()) expect(answer).toEqual(["OK", [[i], [i + 0.5]], i + 0.5]);
  });

  it("answers commands the client gathers by itself, each with its own answer or error", async () => {
    const auto = client();
    await auto.set("text", "x");
    const answers = await Promise.allSettled([
      auto.get("text"),
      auto.set("text", "y", { px: -1 }),
      auto.set("text", "y", { nx: true }),
      auto.set("other", 1),
      auto.get("no"),
    ]);
    expect(answers.map((one) => (one.status === "fulfilled" ? one.value : "error"))).toEqual([
      "x",
      "error",
      null,
      "OK",
      null,
    ]);
  });

  it("answers a lone command the same without auto-pipelining", async () => {
    const alone = clientOf(bridged(), { enableAutoPipelining: false });
    expect(await alone.set("k", "OK")).toBe("OK");
    expect(await alone.get("k")).toBe("OK");
    await expect(alone.set("k", "x", { px: -1 })).rejects.toThrow("ERR invalid expire time in 'set' command");
  });

  it("refuses the client that has another token", async () => {
    const stranger = clientOf({ ...bridged(), token: "wrong" });
    await expect(stranger.get("k")).rejects.toThrow("WRONGPASS");
  });
});

describeRedisRunner((bridged) => {
  const client = () => clientOf(bridged());

  it("answers numbers as numbers, within a pipeline and within a list too", async () => {
    const pipeline = client().pipeline().incr("n").ping().incrby("n", 10).echo("hi");
    expect(await pipeline.exec()).toEqual([1, "PONG", 11, "hi"]);
    expect(await client().mget("n", "absent")).toEqual([11, null]);
    await expect(client().multi().incr("n").set("t", "text").incr("t").exec()).rejects.toThrow(
      "Command 3 [ incr ] failed: ERR value is not an integer or out of range",
    );
    await expect(client().incr("t")).rejects.toThrow("ERR value is not an integer or out of range");
    expect(await client().get("n")).toBe(12);
  });

  it("tells how long a key lives that was given a time in whichever way", async () => {
    await client().set("ex", 1, { ex: 100 });
    await client().set("exat", 1, { exat: 4_000_000_000 });
    await client().set("forever", 1);
    expect(await client().ttl("ex")).toBe(100);
    expect(await client().ttl("exat")).toBeGreaterThan(1_000_000);
    expect(await client().ttl("forever")).toBe(-1);
    expect(await client().ttl("absent")).toBe(-2);
    expect(await client().getex("ex", { ex: 30 })).toBe(1);
    expect(await client().ttl("ex")).toBe(30);
  });

  it("deletes, and counts what was there", async () => {
    await client().mset({ a: 1, b: 2, c: 3, d: 4 });
    expect(await client().exists("a", "a", "absent")).toBe(2);
    expect(await client().del("a", "absent")).toBe(1);
    expect(await client().unlink("b")).toBe(1);
    expect(await client().getdel("c")).toBe(3);
    expect(await client().getdel("c")).toBeNull();
    expect(await client().type("d")).toBe("string");
    expect(await client().type("c")).toBe("none");
    expect(await client().dbsize()).toBe(1);
    expect(await client().flushall()).toBe("OK");
    expect(await client().dbsize()).toBe(0);
  });

  it("finds keys by pattern, and by scanning to the end", async () => {
    const names = Array.from({ length: 300 }, (_, i) => `user:${i}`);
    await client().mset(Object.fromEntries([...names, "other"].map((name) => [name, 1])));
    expect((await client().keys("user:1[0-2]")).toSorted()).toEqual(["user:10", "user:11", "user:12"]);
    const found = new Set<string>();
    let cursor = "0";
    do {
      const [next, keys] = await client().scan(cursor, { match: "user:*", count: 50 });
      for (const key of keys) found.add(key);
      cursor = next;
    } while (cursor !== "0");
    expect([...found].toSorted()).toEqual(names.toSorted());
  });
});
