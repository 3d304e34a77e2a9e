import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type RedisServer, startRedisServer } from "../../src/redis/index.ts";
import { type CommandRunner, createMemoryRunner, createRedisRunner } from "../../src/upstash/index.ts";
import { KNOWN_SCRIPTS } from "../../src/upstash/memory-commands/scripts.ts";
import { describeWithRedis } from "../../src/testing/index.ts";

const LONG = "x".repeat(200);

// Words are parted by blanks; `_` is an empty word.
const SCRIPTS = [
  ["PING", "PING hi", "PING a b", "ECHO", "ECHO hi", "echo a b"],
  ["FOO", "FOO a b", `foo ${LONG} b`, `${LONG} a`, `FOO a ${"y".repeat(124)} b c`],
  [
    "GET",
    "GET a b",
    "SET a",
    "SET a b",
    "GET a",
    "STRLEN a",
    "STRLEN",
    "TYPE a",
    "TYPE b",
    "GET _",
    "SET _ _",
    "GET _",
  ],
  [
    "SET a 1 FOO",
    "SET a 1 EX",
    "SET a 1 EX 0",
    "SET a 1 EX -5",
    "SET a 1 EX 1.5",
    "SET a 1 EX x",
    "SET a 1 PX 0",
  ],
  ["SET a 1 EX 10 PX 10", "SET a 1 EX 10 EX 20", "TTL a", "SET a 1 NX XX", "SET a 1 KEEPTTL EX 10"],
  [
    "SET a 1 EX 10 KEEPTTL",
    "SET a 1 PERSIST",
    "SET a 1 EX 1 NX GET",
    "SET a 2 NX GET",
    "SET a 3 GET",
    "SET b 1 XX GET",
  ],
  ["SET a 1 PX 99999999999999999999", "EXISTS a", "PERSIST a"],
  [
    "SET a 1 EXAT 1",
    "GET a",
    "SET a 1 PXAT 0",
    "SET a 1 EXAT 4000000000",
    "PERSIST a",
    "TTL a",
    "SET a 1 EX EX",
  ],
  [
    "SETEX a 0 b",
    "SETEX a x b",
    "SETEX a 10",
    "SETEX a 10 b",
    "TTL a",
    "PSETEX a -1 b",
    "PSETEX a 9000 b",
    "TTL a",
  ],
  ["SETNX a", "SETNX a b", "SETNX a c", "GET a", "GETDEL", "GETDEL a", "GETDEL a"],
  [
    "GETEX a",
    "GETEX a EX x",
    "SET a b EX 100",
    "GETEX a FOO",
    "GETEX a EX",
    "GETEX a EX 0",
    "GETEX a EX 10 PX 10",
  ],
  ["SET a b", "GETEX a PERSIST EX 10", "GETEX a NX", "GETEX a EX 100", "TTL a", "GETEX a PERSIST", "TTL a"],
  [
    "SET a b",
    "GETEX a EXAT 1",
    "GET a",
    "GETEX a PERSIST",
    "MGET",
    "MGET a b",
    "MSET a",
    "MSET a 1 b",
    "MSET a 1 a 2",
  ],
  ["MGET a a nope", "DEL", "DEL a a", "EXISTS", "SET a 1", "EXISTS a a b", "UNLINK a b", "UNLINK"],
  [
    "INCR",
    "INCR n",
    "INCR n n",
    "INCRBY n",
    "INCRBY n 10",
    "INCRBY n x",
    "INCRBY n 1.5",
    "DECR n",
    "DECRBY n -3",
  ],
  ["SET n 900719925474099", "INCR n", "DECR n", "INCRBY n 99999999999999999999", "GET n"],
  ...["05", "-0", "+5", "5 ", "1.0", "_", "1e3", "0x1", "-", "--1"].map((text) => [
    `SET n ${text}`,
    "INCR n",
  ]),
  ["SET n 5 EX 100", "INCR n", "TTL n", "EXPIRE n", "EXPIRE n x", "EXPIRE n 10 FOO", "EXPIRE no 10 FOO"],
  [
    "SET k 1",
    "EXPIRE k 10 NX XX",
    "EXPIRE k 10 nx gt",
    "EXPIRE k 10 GT LT",
    "EXPIRE k 10 GT",
    "EXPIRE k 10 XX",
  ],
  [
    "SET k 1",
    "EXPIRE k 90 LT",
    "EXPIRE k 80 NX",
    "EXPIRE k 80 GT",
    "EXPIRE k 95 GT",
    "EXPIRE k 95 LT",
    "TTL k",
  ],
  [
    "SET k 1",
    "EXPIRE k 50 NX",
    "EXPIRE k 60 XX GT",
    "EXPIRE k 40 XX LT",
    "TTL k",
    "EXPIRE k -5 GT",
    "EXPIRE k -5",
    "GET k",
  ],
  ["EXPIRE k 10", "SET k 1", "PEXPIRE k 0", "EXISTS k"],
  ["SET k 1", "EXISTS k", "TTL", "PTTL", "TTL k k", "PTTL nope", "PERSIST nope", "PERSIST"],
  [
    "DBSIZE a",
    "DBSIZE",
    "SET a 1",
    "DBSIZE",
    "FLUSHALL FOO",
    "FLUSHALL SYNC SYNC",
    "FLUSHDB async",
    "DBSIZE",
    "FLUSHALL",
  ],
  ["SET a 1", "SCAN", "SCAN x", "SCAN 0", "SCAN 0 FOO", "SCAN 0 FOO 1", "SCAN 0 MATCH", "SCAN 0 COUNT 0"],
  [
    "SET a 1",
    "SCAN 0 COUNT x",
    "SCAN 0 MATCH b",
    "SCAN 0 TYPE hash",
    "SCAN 0 TYPE STRING",
    "SCAN 0 COUNT 5 MATCH a*",
  ],
  ["KEYS", "KEYS a b"],
];

const KEYS = [
  "a",
  "ab",
  "abc",
  "a*c",
  "a?c",
  "a[c",
  "a]c",
  "a-c",
  "a\\c",
  "a^c",
  "é",
  "a\nb",
  "a.c",
  "A",
  "[",
  "]",
  "x-",
];
const PATTERNS =
  "* ? ?? a* *c a?c a[bc]c a[^b]c a[a-c]c a[c-a]c a\\*c a\\?c a\\[c a[\\]]c a[\\-]c a[-]c a[]c a[^]c a[ [ [a [^a [a- a\\ \\ a[*]c a.c a|b é [é] *\\* **c a[b-]c a^c x[-] _"
    .split(" ")
    .map((pattern) => (pattern === "_" ? "" : pattern));

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

  it.each(KNOWN_SCRIPTS)("answers the same to the script %j", async (script) => {
    const lists = [
      ["1", "a", "60000", "1"],
      ["3", "a", "b", "c", "60000", "2", "3", "4"],
    ];
    for (const rest of [...lists, ["2", "a"], ["-1", "a"], ["x"]])
      await expectSame(["EVAL", script, ...rest]);
    for (const key of ["a", "b", "c"]) for (const line of ["GET", "TYPE"]) await expectSame([line, key]);
  });

  it.each(PATTERNS)("finds the same keys by %j", async (pattern) => {
    const fill = ["MSET", ...KEYS.flatMap((key) => [key, "1"])];
    for (const runner of [memory, redis]) await runner.run(fill);
    const found = async (runner: CommandRunner) =>
      ((await runner.run(["KEYS", pattern])) as Buffer[]).map(String).toSorted();
    expect(await found(memory)).toEqual(await found(redis));
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
