import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, it } from "vitest";
import { type Fetch, type HttpServer, listen } from "../src/serve/http-server.ts";

// More than all that kernels keep between the two ends of a connection.
const LARGE = new Uint8Array(40_000_000);
const MEGABYTE = 1_000_000;

const opened: Socket[] = [];
let http: HttpServer | undefined;

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await http?.close();
});

/** A server that answers with what it is given, and tells when the first of its responses is over. */
async function serving(
  answer: () => Response | Promise<Response>,
  limits: { patienceMs: number; minBytesPerSecond: number },
) {
  const over = Promise.withResolvers<boolean>();
  const fetch: Fetch = (_, { outgoing }) => {
    outgoing.once("close", () => over.resolve(outgoing.writableFinished));
    return answer();
  };
  http = await listen(fetch, { host: "127.0.0.1", port: 0 }, limits);
  return { over: over.promise, port: http.port };
}

/** Asks, and reads nothing before it is told to. */
async function ask(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  opened.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  return socket;
}

/** Takes so many bytes, so often. */
async function sip(socket: Socket, bytes: number, everyMs: number): Promise<void> {
  while (!socket.destroyed && !socket.readableEnded) {
    await sleep(everyMs);
    if (socket.read(Math.min(bytes, socket.readableLength || 1)) === null) socket.read(0);
  }
}

const streamed = (length = LARGE.length) => {
  let sent = 0;
  return new Response(
    new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(LARGE.subarray(0, 65_536));
        sent += 65_536;
        if (sent > length) controller.close();
      },
    }),
  );
};

it.each([
  ["at once", () => new Response(LARGE)],
  ["piece by piece", () => streamed()],
])("drops a reader who takes nothing of an answer that is sent %s", async (_, answer) => {
  const { over, port } = await serving(answer, { patienceMs: 400, minBytesPerSecond: 1 });
  await ask(port);
  expect(await over).toBe(false);
});

// So often that it is never seen to take nothing for half of the patience.
it.each([
  ["at once", () => new Response(LARGE)],
  ["piece by piece", () => streamed()],
])("drops a reader who always takes a little, but far too little (%s)", async (_, answer) => {
  const { over, port } = await serving(answer, { patienceMs: 2_000, minBytesPerSecond: 20 * MEGABYTE });
  void sip(await ask(port), 65_536, 40);
  expect(await over).toBe(false);
});

it("does not save up for later what a reader took quickly", async () => {
  const { over, port } = await serving(() => streamed(400 * MEGABYTE), {
    patienceMs: 2_000,
    minBytesPerSecond: 4 * MEGABYTE,
  });
  const socket = await ask(port);
  let taken = 0;
  // Enough to have earned a quarter of a minute.
  while (taken < 60 * MEGABYTE) taken += (socket.read() as Buffer | null)?.length ?? (await sleep(1), 0);
  void sip(socket, 65_536, 40);
  expect(await Promise.race([over, sleep(10_000, "was not dropped")])).toBe(false);
});

it("lets a reader take longer than it is patient, who takes enough", async () => {
  const { over, port } = await serving(() => streamed(), { patienceMs: 300, minBytesPerSecond: MEGABYTE });
  const started = performance.now();
  void sip(await ask(port), 1_500_000, 30);
  expect(await over).toBe(true);
  expect(performance.now() - started).toBeGreaterThan(600);
});

it("never drops a reader for whom it is slow itself", async () => {
  const slowly = async () => {
    await sleep(900);
    return new Response("here it is");
  };
  const { over, port } = await serving(slowly, { patienceMs: 200, minBytesPerSecond: MEGABYTE });
  const socket = await ask(port);
  const received = await new Promise<string>((resolve) =>
    socket.once("data", (chunk) => resolve(String(chunk))),
  );
  expect(received).toContain("here it is");
  expect(await over).toBe(true);
});
