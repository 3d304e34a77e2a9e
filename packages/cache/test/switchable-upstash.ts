import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { type UpstashBridge } from "@usage-stats/dev-services/upstash";

/** What can go wrong between a server and its Upstash, besides the Redis behind it. */
export const FAULTS = {
  "answers 401": (response) => json(response, 401, { error: "WRONGPASS invalid or missing auth token" }),
  "answers 429": (response) => json(response, 429, { error: "ERR max requests limit exceeded" }),
  "answers 503 with a page": (response) => {
    response
      .writeHead(503, { "content-type": "text/html" })
      .end("<!doctype html><h1>Service unavailable</h1>");
  },
  "answers 200 with a page": (response) => {
    response
      .writeHead(200, { "content-type": "text/html" })
      .end("<!doctype html><h1>Sign in to the network</h1>");
  },
  "answers no list": (response) => json(response, 200, { result: "OK" }),
  "answers nothing": (response) => json(response, 200, {}),
  "cuts its answers off": (response) => {
    response
      .writeHead(200, { "content-type": "application/json", "content-length": 500 })
      .write('[{"result":["');
    setTimeout(() => response.destroy(), 1);
  },
  "resets connections": (response) => void response.socket?.resetAndDestroy(),
  "never answers": () => {},
  "never finishes answering": (response) => void response.writeHead(200).write('[{"result":'),
} satisfies Record<string, (response: ServerResponse) => void>;

export type Fault = keyof typeof FAULTS;

/** Stands between a client and a bridge; `fault` is what it does instead of passing on. */
export type SwitchableUpstash = { url: string; fault: Fault | null; close(): Promise<void> };

export async function startSwitchableUpstash(bridge: UpstashBridge): Promise<SwitchableUpstash> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const upstash: SwitchableUpstash = {
    url: `http://127.0.0.1:${port}`,
    fault: null,
    close: () => end(server),
  };
  server.on("request", (request, response) => {
    if (upstash.fault !== null) FAULTS[upstash.fault](response);
    else void passOn(request, response, bridge).catch(() => response.destroy());
  });
  return upstash;
}

async function passOn(request: IncomingMessage, response: ServerResponse, bridge: UpstashBridge) {
  const answer = await fetch(`${bridge.url}${request.url}`, {
    method: "POST",
    body: await text(request),
    headers: { authorization: request.headers.authorization ?? "" },
  });
  response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
}

async function end(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
