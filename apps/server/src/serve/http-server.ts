import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { OperatorError } from "../operator-error.ts";
import { watchReaders } from "./slow-readers.ts";

/** Answers a request; `bindings` are Node's own objects of it. */
export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

export type HttpServer = { port: number; close(): Promise<void> };

const GRACE_MS = 10_000;
/** For clients of HTTP/1.0 that name no host, as load balancers do in their checks. */
const HOSTNAME = "localhost";
const MAX_HEADERS = 100;

/**
 * Whoever sends or reads slowly is cut off. How many requests a connection may bring is not limited: Node answers 503 to those who do not
 * heed `Connection: close` (measured: autocannon does not), and slowness is what costs, not number.
 */
const LIMITS = {
  requestTimeout: 10_000,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  patienceMs: 30_000,
  minBytesPerSecond: 16_384,
};

/** Listens at once, so that a taken port is known before anything else begins. Throws `OperatorError`. */
export async function listen(
  fetch: Fetch,
  { host, port }: { host: string; port: number },
  limits: Partial<typeof LIMITS> = {},
): Promise<HttpServer> {
  const { patienceMs, minBytesPerSecond, ...serverLimits } = { ...LIMITS, ...limits };
  const listener = getRequestListener((request, bindings) => fetch(request, bindings as HttpBindings), {
    hostname: HOSTNAME,
  });
  const readers = watchReaders({ patienceMs, minBytesPerSecond });
  const server = createServer(serverLimits, (request, response) => {
    readers.watch(response);
    if (request.rawHeaders.length > 2 * MAX_HEADERS) return refuseHeaders(request, response);
    // It answers every failure by itself, so its promise has nothing to tell.
    void listener(request, response);
  });
  server.once("close", readers.stop);
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new OperatorError(explain(error, host, port), { cause: error });
  }
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

function refuseHeaders(request: IncomingMessage, response: ServerResponse): void {
  response.writeHead(431, { connection: "close" }).end();
  request.resume();
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
