import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo } from "node:net";
import { type LocalUpstash, startLocalUpstash } from "@usage-stats/dev-services/upstash";
import { describeWithRedis } from "@usage-stats/dev-services/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createInProcessLimiter } from "../../src/limits/in-process-limiter.ts";
import { type Limiter } from "../../src/limits/limiter.ts";
import { createUpstashLimiter } from "../../src/limits/upstash-limiter.ts";

const clock = { now: () => new Date() };
let accounts = 0;

/** What every limiter does. Each test has an account of its own; none crosses the end of a minute but by bad luck of one in a hundred. */
function behavesAsLimiter(open: () => Limiter): void {
  const account = () => `account ${(accounts += 1)}`;

  it("allows as much as the limit, refuses what is more, and says what is left", async () => {
    const limiter = open();
    const name = account();
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await limiter.spend(name, 3, 1));
    expect(answers.map(({ isAllowed }) => isAllowed)).toEqual([true, true, true, false, false]);
    expect(answers.map(({ remaining }) => remaining)).toEqual([2, 1, 0, 0, 0]);
    for (const { limit, resetMs } of answers) {
      expect(limit).toBe(3);
      expect(resetMs).toBeGreaterThan(0);
      expect(resetMs).toBeLessThanOrEqual(60_000);
    }
  });

  it("counts a request that costs more for more", async () => {
    const limiter = open();
    const name = account();
    expect(await limiter.spend(name, 10, 7)).toMatchObject({ isAllowed: true, remaining: 3 });
    expect(await limiter.spend(name, 10, 7)).toMatchObject({ isAllowed: false, remaining: 0 });
  });

  it("counts everybody apart, whatever they are called", async () => {
    const limiter = open();
    for (const name of ["a", "a:b", "a:b:c", "*", "__proto__", "constructor", "x".repeat(1_000)]) {
      const own = `${account()} ${name}`;
      expect(await limiter.spend(own, 1, 1)).toMatchObject({ isAllowed: true });
      expect(await limiter.spend(own, 1, 1)).toMatchObject({ isAllowed: false });
    }
  });

  it("does not let more in when they all come at once", async () => {
    const limiter = open();
    const name = account();
    const answers = await Promise.all(Array.from({ length: 50 }, () => limiter.spend(name, 20, 1)));
    expect(answers.filter(({ isAllowed }) => isAllowed)).toHaveLength(20);
  });
}

describe("in the process", () => {
  behavesAsLimiter(createInProcessLimiter);
});

describeWithRedis("in Upstash, over a real Redis", () => {
  let upstash: LocalUpstash;
  const failures: unknown[] = [];
  const open = () =>
    createUpstashLimiter({
      ...upstash,
      deadlineMs: 2_000,
      clock,
      onFailure: (error) => failures.push(error),
    });

  beforeAll(async () => {
    upstash = await startLocalUpstash("redis");
  });
  afterAll(() => upstash.close());

  behavesAsLimiter(open);

  it("counts what several servers let in together", async () => {
    const servers = [open(), open()];
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => servers[i % 2]!.spend("shared", 10, 1)),
    );
    expect(answers.filter(({ isAllowed }) => isAllowed)).toHaveLength(10);
  });

  it("was asked all along: nothing was counted in the process instead", async () => {
    expect(await open().spend("last", 1, 1)).toMatchObject({ isAllowed: true });
    expect(failures).toEqual([]);
  });

  it("keeps no names, and nothing for ever", async () => {
    await open().spend("read user did:abt:z1alice", 10, 1);
    const keys = ((await upstash.runner.run(["KEYS", "*"])) as Buffer[]).map(String);
    expect(keys.length).toBeGreaterThan(0);
    expect(keys.filter((key) => !key.startsWith("usage-stats:limit:") || key.includes("alice"))).toEqual([]);
    for (const key of keys) expect(Number(await upstash.runner.run(["PTTL", key]))).toBeGreaterThan(0);
  });
});

describe("while Upstash does not answer", () => {
  it("counts in the process, tells of it, and after five failures asks no more", async () => {
    const failures: unknown[] = [];
    const limiter = createUpstashLimiter({
      url: "http://127.0.0.1:9",
      token: "x",
      deadlineMs: 500,
      clock,
      onFailure: (error) => failures.push(error),
    });
    const answers = [];
    for (let i = 0; i < 10; i++) answers.push(await limiter.spend("somebody", 8, 1));
    expect(answers.map(({ isAllowed }) => isAllowed)).toEqual([
      ...Array.from({ length: 8 }, () => true),
      false,
      false,
    ]);
    expect(failures).toHaveLength(5);
  });
});

describe("while something else answers in Upstash's place", () => {
  it("locks nobody out, and counts in the process", async () => {
    const server = createServer((_, response) => response.end('{"result":"Sign in to the network"}'));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const failures: unknown[] = [];
    const limiter = createUpstashLimiter({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: "x",
      deadlineMs: 500,
      clock,
      onFailure: (failure) => failures.push(failure),
    });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push(await limiter.spend("somebody", 8, 1));
    expect(answers.map(({ isAllowed, remaining }) => [isAllowed, remaining])).toEqual([
      [true, 7],
      [true, 6],
      [true, 5],
    ]);
    expect(failures).toHaveLength(3);
    server.close();
    server.closeAllConnections();
  });
});
