import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { startFaultServer } from "./fault-server.ts";

async function gateway(url: string, count: number) {
  const child = spawn(process.execPath, [join(import.meta.dirname, "gateway.ts"), url, String(count)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  while (!said.includes("ready")) await once(child.stdout, "data");
  return { child, ended: once(child, "exit").then(([code]) => ({ code: code as number, said })) };
}

it("on SIGTERM a gateway sends what it holds, over faults too, and then ends by itself", async () => {
  const server = await startFaultServer();
  server.plays = ["cut", { status: 503 }, "lost"];
  const { child, ended } = await gateway(server.url, 50);
  expect(server.requests).toEqual([]);
  child.kill("SIGTERM");
  expect(await ended).toEqual({ code: 0, said: "ready\nunsent 0\n" });
  expect(server.store.size).toBe(50);
  await server.close();
});

it("holds nothing open once there is nothing to send", async () => {
  const { ended } = await gateway("http://127.0.0.1:9", 0);
  expect(await ended).toMatchObject({ code: 0 });
});
