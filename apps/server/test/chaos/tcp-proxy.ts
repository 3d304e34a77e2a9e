import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A way through to a server on this machine, at one address whatever becomes of the server behind it. */
export type TcpProxy = {
  port: number;
  /** Where new connections lead from now on. */
  leadTo(port: number): void;
  /** Resets every connection there is. */
  reset(): void;
  /** Keeps connections open and forwards nothing, in either direction, until `resume`. */
  pause(): void;
  resume(): void;
  close(): Promise<void>;
};

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let paused = false;
  const server = createServer((near) => {
    const far = connect(target, "127.0.0.1");
    const pair: [Socket, Socket] = [near, far];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of pair) {
      socket.on("error", end);
      socket.on("close", end);
      socket.setNoDelay(true);
    }
    near.on("data", (bytes) => far.write(bytes));
    far.on("data", (bytes) => near.write(bytes));
    if (paused) for (const socket of pair) socket.pause();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function each(act: (socket: Socket) => void): void {
    for (const pair of pairs) for (const socket of pair) act(socket);
  }

  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (port) => void (target = port),
    reset: () => each((socket) => socket.resetAndDestroy()),
    pause() {
      paused = true;
      each((socket) => socket.pause());
    },
    resume() {
      paused = false;
      each((socket) => socket.resume());
    },
    async close() {
      each((socket) => socket.destroy());
      server.close();
      await once(server, "close");
    },
  };
}
