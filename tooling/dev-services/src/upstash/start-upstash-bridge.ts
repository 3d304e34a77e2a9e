import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type CommandRunner } from "./command-runner.ts";
import { createMemoryRunner } from "./create-memory-runner.ts";
import { createUpstashBridge } from "./create-upstash-bridge.ts";

export interface StartUpstashBridgeOptions {
  /** The in-process store when left out. One that is given stays open when the bridge closes. */
  runner?: CommandRunner;
  /** Random when left out. */
  token?: string;
  /** Any free one when left out. */
  port?: number;
  /** 127.0.0.1 when left out. */
  host?: string;
}

/** A bridge that listens: `url` and `token` are what `new Redis({ url, token })` takes. */
export interface UpstashBridge {
  url: string;
  token: string;
  /** Ends it at once, requests under way included. */
  close(): Promise<void>;
}

/**
 * Starts the bridge.
 * @throws Error when it cannot listen there.
 */
export async function startUpstashBridge({
  runner = createMemoryRunner(),
  token = randomBytes(24).toString("base64url"),
  port = 0,
  host = "127.0.0.1",
}: StartUpstashBridgeOptions = {}): Promise<UpstashBridge> {
  const server = createAdaptorServer({ fetch: createUpstashBridge({ runner, token }).fetch });
  server.listen(port, host);
  await once(server, "listening");
  return {
    url: `http://${host}:${(server.address() as AddressInfo).port}`,
    token,
    async close() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      await closed;
    },
  };
}
