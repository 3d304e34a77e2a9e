import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { OperatorError } from "../operator-error.ts";

export type Fetch = (request: Request) => Response | Promise<Response>;

export type HttpServer = { port: number; close(): Promise<void> };

const GRACE_MS = 10_000;

/** Listens at once, so that a taken port is known before anything else begins. Throws `OperatorError`. */
export async function listen(
  fetch: Fetch,
  { host, port }: { host: string; port: number },
): Promise<HttpServer> {
  const listener = getRequestListener(fetch);
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    // It answers every failure by itself, so its promise has nothing to tell.
    void listener(request, response);
  });
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new OperatorError(explain(error, host, port), { cause: error });
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function explain(error: unknown, host: string, port: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE")
    return `Port ${port} is in use. Stop what uses it, or choose another: PORT=${port + 1} npm start`;
  if (code === "EACCES")
    return `Port ${port} needs more rights than this user has. Choose another: PORT=3000 npm start`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return `HOST=${host} is not an address of this machine.`;
  return `Cannot listen on ${host}:${port}.`;
}

/** Takes no new requests, lets those under way finish, and cuts off what is not done after a while. */
async function close(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  await closed;
  clearTimeout(timer);
}
