import { describe, expect, it } from "vitest";
import { clientOf } from "./support/client.ts";
import { describeRunners } from "./support/runners.ts";

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
      expect(await raw().mget("absent", "text")).toEqual([null, text]);
      expect(await raw().strlen("text")).toBe(Buffer.byteLength(text));
    });

    it("gives back JSON as an object, or as its text without automatic deserialization", async () => {
      const value = { name: "Zoë", tags: ["a", null, 1.5], nested: { ok: true } };
      await client().set("json", value);
      expect(await client().get("json")).toEqual(value);
      expect(await raw().get("json")).toBe(JSON.stringify(value));
    });

    it("keeps numbers and booleans, which the client sends unquoted", async () => {
      await client().mset({ number: 42, fraction: 0.25, yes: true });
      expect(await client().mget("number", "fraction", "yes")).toEqual([42, 0.25, true]);
      expect(await raw().mget("number", "fraction", "yes")).toEqual(["42", "0.25", "true"]);
    });

    it("stores and finds keys in any language", async () => {
      await client().set("schlüssel/🔑 ?", "there");
      expect(await client().get("schlüssel/🔑 ?")).toBe("there");
      expect(await client().keys("schl*🔑*")).toEqual(["schlüssel/🔑 ?"]);
    });

    it("answers a pipeline in order, with statuses, values, numbers and nulls", async () => {
      const pipeline = raw().pipeline();
      pipeline.set("a", "OK").get("a").incr("n").get("absent").mget("a", "absent").ping();
      expect(await pipeline.exec()).toEqual(["OK", "OK", 1, null, ["OK", null], "PONG"]);
    });
  });

  const client = () => clientOf(bridged());

  it("sets only absent keys with nx, only present ones with xx", async () => {
    expect(await client().set("k", "first", { xx: true })).toBeNull();
    expect(await client().set("k", "first", { nx: true })).toBe("OK");
    expect(await client().set("k", "second", { nx: true })).toBeNull();
    expect(await client().get("k")).toBe("first");
    expect(await client().set("k", "third", { xx: true })).toBe("OK");
    expect(await client().get("k")).toBe("third");
    expect(await client().setnx("k", "fourth")).toBe(0);
    expect(await client().setnx("other", "x")).toBe(1);
  });

  it("answers the old value when set is asked to get it, whether or not it sets", async () => {
    expect(await client().set("k", "first", { get: true })).toBeNull();
    expect(await client().set("k", "second", { get: true })).toBe("first");
    expect(await client().set("k", "third", { get: true, nx: true })).toBe("second");
    expect(await client().get("k")).toBe("second");
  });

  it("counts how long a key lives", async () => {
    await client().set("ex", 1, { ex: 100 });
    await client().set("px", 1, { px: 100_000 });
    await client().set("exat", 1, { exat: 4_000_000_000 });
    await client().set("forever", 1);
    expect(await client().ttl("ex")).toBe(100);
    expect(await client().ttl("px")).toBe(100);
    expect(await client().pttl("px")).toBeGreaterThan(99_000);
    expect(await client().ttl("exat")).toBeGreaterThan(1_000_000);
    expect(await client().ttl("forever")).toBe(-1);
    expect(await client().ttl("absent")).toBe(-2);
  });

  it("forgets a key when its time is over, and not before", async () => {
    await client().set("short", "x", { px: 150 });
    await client().set("long", "x", { px: 60_000 });
    await client().psetex("also short", 150, "x");
    expect(await client().get("short")).toBe("x");
    await bridged().later(200);
    expect(await client().mget("short", "also short", "long")).toEqual([null, null, "x"]);
    expect(await client().exists("short", "also short", "long")).toBe(1);
    expect(await client().keys("*")).toEqual(["long"]);
    expect(await client().dbsize()).toBe(1);
    expect(await client().set("short", "again", { nx: true })).toBe("OK");
    expect(await client().ttl("short")).toBe(-1);
  });

  it("keeps a key's time over an increment and with keepTtl, and drops it at a plain set", async () => {
    await client().set("n", 1, { ex: 100 });
    expect(await client().incr("n")).toBe(2);
    expect(await client().ttl("n")).toBe(100);
    await client().set("n", 5, { keepTtl: true });
    expect(await client().ttl("n")).toBe(100);
    await client().set("n", 5);
    expect(await client().ttl("n")).toBe(-1);
  });

  it("gives a key a time, another one and none", async () => {
    await client().set("k", 1);
    expect(await client().expire("absent", 10)).toBe(0);
    expect(await client().expire("k", 100)).toBe(1);
    expect(await client().ttl("k")).toBe(100);
    expect(await client().pexpire("k", 50_000)).toBe(1);
    expect(await client().ttl("k")).toBe(50);
    expect(await client().persist("k")).toBe(1);
    expect(await client().persist("k")).toBe(0);
    expect(await client().getex("k", { ex: 30 })).toBe(1);
    expect(await client().ttl("k")).toBe(30);
    expect(await client().expire("k", -1)).toBe(1);
    expect(await client().get("k")).toBeNull();
  });

  it("counts up and down, and refuses what is no integer", async () => {
    expect(await client().incr("n")).toBe(1);
    expect(await client().incrby("n", 10)).toBe(11);
    expect(await client().decrby("n", 4)).toBe(7);
    expect(await client().decr("n")).toBe(6);
    await client().set("n", "1.5");
    await expect(client().incr("n")).rejects.toThrow("ERR value is not an integer or out of range");
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

  it("tells a pipeline's errors item by item when asked to keep them, and throws the first otherwise", async () => {
    const pipeline = () => client().pipeline().set("k", "text").incr("k").get("k");
    expect(await pipeline().exec({ keepErrors: true })).toEqual([
      { result: "OK", error: undefined },
      { result: undefined, error: "ERR value is not an integer or out of range" },
      { result: "text", error: undefined },
    ]);
    await expect(pipeline().exec()).rejects.toThrow("Command 2 [ incr ] failed: ERR value is not an integer");
  });

  it("runs a transaction whole, with its errors item by item", async () => {
    expect(await client().multi().set("k", "1").incr("k").get("k").exec()).toEqual(["OK", 2, 2]);
    const failing = client().multi().set("k", "text").incr("k").set("after", "ran");
    expect(await failing.exec({ keepErrors: true })).toEqual([
      { result: "OK", error: undefined },
      { result: undefined, error: "ERR value is not an integer or out of range" },
      { result: "OK", error: undefined },
    ]);
    expect(await client().get("after")).toBe("ran");
  });

  it("lets nothing in between a transaction's commands", async () => {
    const other = clientOf(bridged(), { enableAutoPipelining: false });
    const transactions = Array.from({ length: 20 }, () =>
      client().multi().incr("n").incr("n").incr("n").exec(),
    );
    const singles = Array.from({ length: 20 }, () => other.incr("n"));
    const counted = (await Promise.all(transactions)) as number[][];
    await Promise.all(singles);
    for (const [first = 0, ...rest] of counted) expect(rest).toEqual([first + 1, first + 2]);
    expect(await client().get("n")).toBe(80);
  });

  it("answers commands the client gathers by itself, each with its own answer or error", async () => {
    const auto = client();
    await auto.set("text", "x");
    const answers = await Promise.allSettled([
      auto.get("text"),
      auto.incr("text"),
      auto.incr("n"),
      auto.get("no"),
    ]);
    expect(answers.map((one) => (one.status === "fulfilled" ? one.value : "error"))).toEqual([
      "x",
      "error",
      1,
      null,
    ]);
  });

  it("answers a lone command the same without auto-pipelining", async () => {
    const alone = clientOf(bridged(), { enableAutoPipelining: false });
    expect(await alone.set("k", "OK")).toBe("OK");
    expect(await alone.get("k")).toBe("OK");
    expect(await alone.echo("hi")).toBe("hi");
    await expect(alone.incr("k")).rejects.toThrow("ERR value is not an integer or out of range");
  });

  it("refuses the client that has another token", async () => {
    const stranger = clientOf({ ...bridged(), token: "wrong" });
    await expect(stranger.get("k")).rejects.toThrow("WRONGPASS");
  });
});
