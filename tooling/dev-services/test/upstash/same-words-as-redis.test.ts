import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RedisServer, startRedisServer } from "../../src/redis/index.ts";
import { type CommandRunner, createMemoryRunner, createRedisRunner } from "../../src/upstash/index.ts";
import { KNOWN_SCRIPTS } from "../../src/upstash/known-scripts.ts";
import { describeWithRedis } from "../../src/testing/index.ts";

const LONG = "x".repeat(200);

// Words are parted by blanks; `_` is an empty word.
const SCRIPTS = [
  ["FOO", "FOO a b", `foo ${LONG} b`, `${LONG} a`, `FOO a ${"y".repeat(124)} b c`],
  ["GET", "GET a b", "SET a", "SET a b", "GET a", "get a", "GET _", "SET _ _", "GET _"],
  ["SET a 1 FOO", "SET a 1 PX", "SET a 1 PX 0", "SET a 1 PX -5", "SET a 1 PX 1.5", "SET a 1 PX x", "GET a"],
  ["SET a 1 PX 99999999999999999999", "SET a 1 PX 60000 PX", "SET a 1 NX FOO", "SET a 1 PX PX", "GET a"],
  ["SET a 1 PX 60000 PX 70000", "SET a 2 nx", "GET a", "SET a 3 px 60000", "GET a", "SET b 1 PX 60000 NX"],
  ...["05", "-0", "+5", "_", "1e3", "0x1", "-", "--1"].map((text) => [`SET n 1 PX ${text}`, "GET n"]),
  ["SET a 1", "FLUSHALL", "GET a", "FLUSHALL"],
];

describeWithRedis("the in-process store beside a real Redis", () => {
  let server: RedisServer;
  let redis: CommandRunner;
  let memory: CommandRunner;
  beforeAll(async () => {
    server = await startRedisServer();
    redis = await createRedisRunner(server.url);
  });
  beforeEach(async () => {
    memory = createMemoryRunner();
    await redis.run(["FLUSHALL"]);
  });
  afterAll(async () => {
    await redis.close();
    await server.stop();
  });

  async function expectSame(command: string[]): Promise<void> {
    const [ours, theirs] = await Promise.all([outcome(memory, command), outcome(redis, command)]);
    expect({ command, answer: ours }).toEqual({ command, answer: theirs });
  }

  it.each(SCRIPTS)("answers the same to %s …", async (...script) => {
    for (const line of script) await expectSame(line.split(" ").map((word) => (word === "_" ? "" : word)));
  });

  it.each([...KNOWN_SCRIPTS.keys()])("answers the same to the script %j", async (script) => {
    const lists = [
      ["1", "a", "60000", "1"],
      ["3", "a", "b", "c", "60000", "2", "3", "4"],
    ];
    for (const rest of [...lists, ["2", "a"], ["-1", "a"], ["x"]])
      await expectSame(["EVAL", script, ...rest]);
    for (const key of ["a", "b", "c"]) await expectSame(["GET", key]);
  });
});

async function outcome(runner: CommandRunner, command: string[]): Promise<unknown> {
  try {
    return plain(await runner.run(command));
  } catch (error) {
    return String(error);
  }
}

/** Statuses and values told apart, bytes as text. */
function plain(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply.map(plain);
  return Buffer.isBuffer(reply) ? { bulk: reply.toString() } : reply;
}
