import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/**
 * What becomes of bytes: `pass`, or `swallow` without a word while every connection stays open, as half-open ones do; new ones
 * are accepted then and hear nothing. `hold` keeps them back until it is `pass` again. `refuse` cuts what there is and what comes.
 */
export type ProxyMode = "pass" | "swallow" | "hold" | "refuse";

export type TcpProxy = {
  /** The database's URL by way of this proxy. */
  url: string;
  mode: ProxyMode;
  /** How long every byte takes on its way from the database, in milliseconds. */
  delayMs: number;
  /** How many connections came so far. */
  readonly accepted: number;
  /** Where new connections lead from now on. */
  leadTo(databaseUrl: string): void;
  /** Cuts every connection there is, as a reset does. */
  cut(): void;
  /** From now on nothing passes on the connections that are there, as when a machine vanishes. */
  silence(): void;
  close(): Promise<void>;
};

/** Stands between a client and a database, and lets connections fail in ways that a database by itself never does. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  let target = new URL(databaseUrl);
  const open = new Set<Socket>();
  let mode: ProxyMode = "pass";
  let accepted = 0;
  const server = createServer();

  function passOn(from: Socket, to: Socket, delay: () => number): void {
    open.add(from);
    if (mode === "hold") from.pause();
    from.on("data", (bytes) => {
      if (mode === "swallow" || mode === "refuse") return;
      if (delay() === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), delay());
    });
    from.on("error", () => to.destroy());
    from.on("close", () => {
      open.delete(from);
      // Nobody tells the other end of a half-open connection.
      if (mode !== "swallow") to.destroy();
    });
  }

  server.on("connection", (client) => {
    accepted += 1;
    if (mode === "refuse") return void client.resetAndDestroy();
    const behind = connect(Number(target.port), target.hostname);
    passOn(client, behind, () => 0);
    passOn(behind, client, () => proxy.delayMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.hostname = "127.0.0.1";
  url.port = String((server.address() as AddressInfo).port);
  const cut = () => {
    for (const socket of open) socket.resetAndDestroy();
  };
  const silence = () => {
    for (const socket of open) socket.pause();
  };
  const proxy: TcpProxy = {
    url: url.href,
    get mode() {
      return mode;
    },
    set mode(next) {
      if (next === "hold") silence();
      else if (mode === "hold") for (const socket of open) socket.resume();
      mode = next;
    },
    delayMs: 0,
    get accepted() {
      return accepted;
    },
    leadTo: (other) => void (target = new URL(other)),
    cut,
    silence,
    async close() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, "close");
    },
  };
  return proxy;
}
