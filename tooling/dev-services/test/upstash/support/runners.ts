import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe } from "vitest";
import { startRedisServer } from "../../../src/redis/index.ts";
import {
  type CommandRunner,
  createMemoryRunner,
  createRedisRunner,
  startUpstashBridge,
} from "../../../src/upstash/index.ts";
import { describeWithRedis } from "../../../src/testing/index.ts";

/** A bridge over one of the runners, emptied before every test. */
export interface Bridged {
  url: string;
  token: string;
  runner: CommandRunner;
  /** Lets time pass: the in-process store's clock is turned, a real Redis is waited for. */
  later(ms: number): Promise<void>;
}

type Opened = Pick<Bridged, "runner" | "later"> & { close(): Promise<void> };

/** The same tests over every runner. */
export function describeRunners(tests: (bridged: () => Bridged) => void): void {
  describe("over the in-process store", () => {
    tests(bridge(openMemory));
  });
  describeRedisRunner(tests);
}

/** Tests of what only a real Redis knows. */
export function describeRedisRunner(tests: (bridged: () => Bridged) => void): void {
  describeWithRedis("over a real Redis", () => {
    tests(bridge(openRedis));
  });
}

function bridge(open: () => Promise<Opened>): () => Bridged {
  let bridged: Bridged;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const opened = await open();
    const started = await startUpstashBridge({ runner: opened.runner });
    bridged = { ...opened, url: started.url, token: started.token };
    close = async () => {
      await started.close();
      await opened.close();
    };
  });
  beforeEach(async () => void (await bridged.runner.run(["FLUSHALL"])));
  afterAll(() => close());
  return () => bridged;
}

async function openMemory(): Promise<Opened> {
  let now = Date.UTC(2026, 0, 1);
  const runner = createMemoryRunner({ now: () => now });
  return {
    runner,
    later: async (ms) => void (now += ms),
    close: () => runner.close(),
  };
}

async function openRedis(): Promise<Opened> {
  const server = await startRedisServer();
  const runner = await createRedisRunner(server.url);
  return {
    runner,
    later: (ms) => sleep(ms),
    async close() {
      await runner.close();
      await server.stop();
    },
  };
}
