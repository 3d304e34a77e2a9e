import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { startRedisServer } from "../../src/redis/index.ts";
import { createRedisRunner } from "../../src/upstash/index.ts";
import { describeWithRedis } from "../../src/testing/index.ts";

describeWithRedis("a Redis server for tests", () => {
  it("listens on loopback only and keeps nothing on disk", async () => {
    const server = await startRedisServer();
    const runner = await createRedisRunner(server.url);
    const settings = async (name: string) =>
      ((await runner.run(["CONFIG", "GET", name])) as Buffer[]).map(String);
    expect(await settings("bind")).toEqual(["bind", "127.0.0.1"]);
    expect(await settings("save")).toEqual(["save", ""]);
    expect(await settings("appendonly")).toEqual(["appendonly", "no"]);
    await runner.close();
    await server.stop();
  });

  it("comes back empty, on its port, in another process", async () => {
    const server = await startRedisServer();
    const { pid, port } = server;
    const before = await createRedisRunner(server.url);
    await before.run(["SET", "k", "v"]);
    await before.close();
    await server.restart();
    expect(server.pid).not.toBe(pid);
    expect(server.port).toBe(port);
    const after = await createRedisRunner(server.url);
    expect(await after.run(["DBSIZE"])).toBe(0);
    await after.close();
    await server.stop();
  });

  it("leaves nothing when it stops, even paused, however often it is asked to", async () => {
    const server = await startRedisServer();
    const { pid } = server;
    expect(isAlive(pid)).toBe(true);
    server.pause();
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
    expect(isAlive(pid)).toBe(false);
  });

  it("ends with the process that started it, even by SIGKILL, and its folder with it", async () => {
    const script = fileURLToPath(new URL("support/own-redis.ts", import.meta.url));
    const owner = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(createInterface(owner.stdout), "line")) as [string];
    const { pid, folder } = JSON.parse(line) as { pid: number; folder: string };
    expect(isAlive(pid)).toBe(true);
    expect(readdirSync(tmpdir())).toContain(folder);
    owner.kill("SIGKILL");
    const deadline = Date.now() + 10_000;
    while ((isAlive(pid) || readdirSync(tmpdir()).includes(folder)) && Date.now() < deadline) await sleep(20);
    expect(isAlive(pid)).toBe(false);
    expect(readdirSync(tmpdir())).not.toContain(folder);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
