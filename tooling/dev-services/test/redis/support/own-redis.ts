// A process of its own that starts a Redis, says so in one line of JSON, and stays.
import { basename } from "node:path";
import { startRedisServer } from "../../../src/redis/index.ts";
import { createRedisRunner } from "../../../src/upstash/index.ts";

const server = await startRedisServer();
const runner = await createRedisRunner(server.url);
const [, folder] = (await runner.run(["CONFIG", "GET", "dir"])) as Buffer[];
console.log(JSON.stringify({ pid: server.pid, folder: basename(String(folder)) }));
setInterval(() => undefined, 60_000);
