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
  expect(await run("GET k")).toBe("v");
  pass(1);
  expect(await run("GET k")).toBeNull();
});

it("takes a key that has expired unread for absent", async () => {
  const { run, pass } = storeWithClock();
  await run("SET k v PX 100");
  expect(await run("SET k w NX")).toBeNull();
  pass(10_000_000);
  expect(await run("SET k w NX")).toBe("OK");
  pass(10_000_000);
  expect(await run("GET k")).toBe("w");
});

it.each(["eval_ro", "evalsha", "SCRIPT", "FCALL", "INCR", "MGET", "EXPIRE", "KEYS"])(
  "refuses %s, which our cache does not send, and names it",
  async (command) => {
    const { run } = storeWithClock();
    await expect(run(`${command} x 0`)).rejects.toThrow(
      `ERR unknown command '${command}', with args beginning with: 'x' '0' `,
    );
  },
);

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
    keys.set(`key-${i}`, "x", 100);
    most = Math.max(most, keys.held);
  }
  expect(most).toBeLessThan(1_200);
});

it("keeps what has not expired when it sweeps", () => {
  const keys = new Keyspace(() => 0);
  for (let i = 0; i < 5_000; i++) keys.set(`key-${i}`, "x", i % 2 === 0 ? 1_000 : null);
  expect(keys.held).toBe(5_000);
});
