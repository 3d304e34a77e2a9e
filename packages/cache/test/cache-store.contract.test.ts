import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { describeAdapters } from "./stores.ts";

describeAdapters((adapter) => {
  it("has nothing under a key that was never written", async () => {
    expect(await adapter().store.read(["a", "b"])).toEqual([null, null]);
  });

  it("gives values in the order of the keys, unchanged whatever is in them", async () => {
    const texts = ["", "null", "42", '{"a":1}', "two\nlines\0", "é𝄞", "OK", "dGV4dA==", "x".repeat(300_000)];
    await adapter().store.write(
      texts.map((text, i) => [`key ${i}`, text]),
      60_000,
    );
    const keys = texts.map((_, i) => `key ${i}`).toReversed();
    expect(await adapter().store.read(keys)).toEqual(texts.toReversed());
  });

  it("writes over what was there", async () => {
    await adapter().store.write([["key", "old"]], 60_000);
    await adapter().store.write([["key", "new"]], 60_000);
    expect(await adapter().store.read(["key"])).toEqual(["new"]);
  });

  it("replaces, and tells what was and what is", async () => {
    await adapter().store.write([["key", "old"]], 60_000);
    const replaced = await adapter().store.replace(
      [
        ["key", "new"],
        ["other", "first"],
      ],
      60_000,
    );
    expect(replaced).toEqual({ before: ["old", null], after: ["new", "first"] });
    expect(await adapter().store.read(["key", "other"])).toEqual(["new", "first"]);
  });

  it("ensures without touching what was there, and tells what is", async () => {
    await adapter().store.write([["taken", "mine"]], 60_000);
    const ensured = await adapter().store.ensure(
      [
        ["taken", "yours"],
        ["free", "yours"],
      ],
      60_000,
    );
    expect(ensured).toEqual(["mine", "yours"]);
    expect(await adapter().store.read(["taken", "free"])).toEqual(["mine", "yours"]);
  });

  it("gives all who ensure a key at once the same value", async () => {
    const all = await Promise.all(
      Array.from({ length: 20 }, (_, i) => adapter().store.ensure([["key", `value ${i}`]], 60_000)),
    );
    expect(new Set(all.flat()).size).toBe(1);
  });

  it("forgets what was written, ensured and replaced, after its time", async () => {
    await adapter().store.write([["written", "x"]], 40);
    await adapter().store.ensure([["ensured", "x"]], 40);
    await adapter().store.replace([["replaced", "x"]], 40);
    await sleep(100);
    expect(await adapter().store.read(["written", "ensured", "replaced"])).toEqual([null, null, null]);
  });
});
