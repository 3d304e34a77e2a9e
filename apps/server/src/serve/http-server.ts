import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, Server as NetServer } from "node:net";
import { setImmediate as immediate, setTimeout as sleep } from "node:timers/promises";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import { whenThere } from "@usage-stats/core";
import { OperatorError } from "../operator-error.ts";
import { watchReaders } from "./slow-readers.ts";

/** Answers a request; `bindings` are Node's own objects of it. */
export type Fetch = (request: Request, bindings: HttpBindings) => Response | Promise<Response>;

export type HttpServer = {
  port: number;
  /**
   * Ends without failing anybody: goes on as before for `acceptMs`; then takes no more connections, answers what is sent over those
   * that are there, and closes each after its next answer. Cuts off what is not answered within `graceMs` after that.
   */
  drain(settings: { acceptMs: number; graceMs: number }): Promise<void>;
  /** The same at once, with ten seconds. */
  close(): Promise<void>;
};

const GRACE_MS = 10_000;
/** How long a connection on which nothing is asked is kept while draining: what was sent over it just now is answered. */
const IDLE_MS = 500;
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
  const draining = new AbortController();
  const answer = (request: Request, bindings: unknown) =>
    whenThere(fetch(request, bindings as HttpBindings), (response) => {
      // Whoever goes on asking does so over another connection, perhaps to another server.
      if (draining.signal.aborted) (bindings as HttpBindings).outgoing.shouldKeepAlive = false;
      return response;
    });
  const listener = getRequestListener(answer, { hostname: HOSTNAME });
  const readers = watchReaders({ patienceMs, minBytesPerSecond });
  const server = createServer(serverLimits, (request, response) => {
    if (request.rawHeaders.length > 2 * MAX_HEADERS) refuseHeaders(request, response);
    // It answers every failure by itself, so its promise has nothing to tell.
    else void listener(request, response);
    // What the kernel has taken whole already waits for no reader.
    if (!response.writableEnded || response.writableLength > 0) readers.watch(response);
  });
  server.once("close", readers.stop);
  server.listen(port, host);
  try {
    await once(server, "listening");
  } catch (error) {
    throw new OperatorError(explain(error, host, port), { cause: error });
  }
  const stop = async ({ acceptMs, graceMs }: { acceptMs: number; graceMs: number }) => {
    if (acceptMs > 0) await sleep(acceptMs);
    await untilAllAreAccepted();
    draining.abort();
    await drain(server, graceMs);
  };
  return {
    port: (server.address() as AddressInfo).port,
    drain: stop,
    close: () => stop({ acceptMs: 0, graceMs: GRACE_MS }),
  };
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

/** A connection that waits to be accepted is reset by closing the listener. They are accepted just before immediates run. */
async function untilAllAreAccepted(): Promise<void> {
  let started: number;
  let turns = 0;
  do {
    started = performance.now();
    await immediate();
    turns += 1;
  } while (performance.now() - started > 1 && turns < 100);
}

async function drain(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // `http.Server` would cut idle connections at once, and with them what is just being sent.
    NetServer.prototype.close.call(server, () => resolve());
  });
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  const late = setTimeout(() => server.closeAllConnections(), graceMs);
  await closed;
  clearInterval(idle);
  clearTimeout(late);
}
