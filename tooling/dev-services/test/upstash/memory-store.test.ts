import { expect, it } from "vitest";
import { createMemoryRunner } from "../../src/upstash/index.ts";
import { Keyspace } from "../../src/upstash/keyspace.ts";

function storeWithClock() {
  let now = 1_000_000;
  const store = createMemoryRunner({ now: () => now });
  const run = async (line: string) => {
    const reply = await store.run(line.split(" "));
    return Buffer.isBuffer(reply) ? reply.toString() : reply;
  };
  return { run, pass: (ms: number) => (now += ms) };
}

it("keeps a key through the millisecond it expires in, as Redis does", async () => {
  const { run, pass } = storeWithClock();
  await run("SET k v PX 100");
  pass(100);
  expect(await run("PTTL k")).toBe(0);
  expect(await run("GET k")).toBe("v");
  pass(1);
  expect(await run("PTTL k")).toBe(-2);
  expect(await run("GET k")).toBeNull();
});

it("rounds what is left to whole seconds, as Redis does", async () => {
  const { run, pass } = storeWithClock();
  await run("SET k v EX 10");
  pass(8_500);
  expect(await run("TTL k")).toBe(2);
  pass(1);
  expect(await run("TTL k")).toBe(1);
});

it.each(["DEL k", "EXISTS k", "PERSIST k", "EXPIRE k 10", "STRLEN k", "DBSIZE"])(
  "answers 0 to %s when the key has expired unread",
  async (command) => {
    const { run, pass } = storeWithClock();
    await run("SET k v PX 100");
    expect(await run(command)).toBe(1);
    await run("SET k v PX 100");
    pass(10_000_000);
    expect(await run(command)).toBe(0);
  },
);

it("starts counting from zero, for ever, when the counter has expired", async () => {
  const { run, pass } = storeWithClock();
  await run("SET n 41 EX 1");
  expect(await run("INCR n")).toBe(42);
  pass(1_001);
  expect(await run("INCR n")).toBe(1);
  expect(await run("TTL n")).toBe(-1);
});

it("counts as far as JavaScript counts exactly, and refuses to go on", async () => {
  const { run } = storeWithClock();
  await run("SET n 9007199254740990");
  expect(await run("INCR n")).toBe(9007199254740991);
  await expect(run("INCR n")).rejects.toThrow("ERR increment or decrement would overflow");
  expect(await run("GET n")).toBe("9007199254740991");
});

it.each(["eval_ro", "evalsha", "SCRIPT", "FCALL"])("refuses %s and says why", async (command) => {
  const { run } = storeWithClock();
  await expect(run(`${command} x 0`)).rejects.toThrow(
    `ERR '${command}' is refused: the in-process store has no scripts, a real Redis has`,
  );
});

it("refuses a script that it does not know, and says why", async () => {
  const { run } = storeWithClock();
  await expect(run("EVAL return 0")).rejects.toThrow(
    "ERR this script is refused: the in-process store knows a few by their text, a real Redis runs any",
  );
});

it("does not grow with keys that expire and are never read again", () => {
  let now = 0;
  const keys = new Keyspace(() => now);
  let most = 0;
  for (let i = 0; i < 50_000; i++, now++) {
    keys.set(`key-${i}`, "x", now + 100);
    most = Math.max(most, keys.held);
  }
  expect(most).toBeLessThan(1_200);
});

it("keeps what has not expired when it sweeps", () => {
  const keys = new Keyspace(() => 0);
  for (let i = 0; i < 5_000; i++) keys.set(`key-${i}`, "x", i % 2 === 0 ? 1_000 : null);
  expect(keys.keys().length).toBe(5_000);
});
