import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";

type StoredCall = {
  userDid: string;
  id: string;
  callTime: string;
  model: string;
  [field: string]: unknown;
};

/**
 * How one request is answered. `lost`: stored, but the connection breaks before the answer. `late`: stored, and answered when
 * nobody waits any more. `cut`: the connection breaks while the request is still being sent.
 */
export type Play =
  | "ok"
  | "reset"
  | "cut"
  | "lost"
  | "late"
  | "html"
  | "partial"
  | "elsewhere"
  | { status: number; headers?: Record<string, string>; body?: unknown };

export type FaultServer = {
  url: string;
  /** What is stored, by identity: a call that comes again replaces what was there. */
  store: Map<string, StoredCall>;
  /** Each request's calls, as far as they arrived. */
  requests: { calls: StoredCall[]; authorization: string | undefined; at: number }[];
  /** How each request is to be answered, from the first; `ok` after the last. */
  plays: Play[];
  /** Whether a whole request is refused, and how. */
  refuse: (calls: StoredCall[]) => Play | null;
  mostAtOnce: number;
  close(): Promise<void>;
};

export const LATE_MS = 120;

export const identityOf = ({ userDid, id, callTime }: { userDid: string; id: string; callTime: unknown }) =>
  JSON.stringify([userDid, id, new Date(callTime as string).toISOString()]);

/** The calls route of a server on a real socket, which does whatever it is told. It rejects calls of the model "bad". */
export async function startFaultServer(): Promise<FaultServer> {
  let atOnce = 0;
  const server = createServer((request, response) => {
    atOnce += 1;
    played.mostAtOnce = Math.max(played.mostAtOnce, atOnce);
    void answer(request, response).finally(() => (atOnce -= 1));
  });
  const played: FaultServer = {
    url: "",
    store: new Map(),
    requests: [],
    plays: [],
    refuse: () => null,
    mostAtOnce: 0,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const next = played.plays.shift() ?? "ok";
    if (next === "cut") {
      request.once("data", () => request.socket.resetAndDestroy());
      played.requests.push({
        calls: [],
        authorization: request.headers.authorization,
        at: performance.now(),
      });
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const calls = JSON.parse(Buffer.concat(chunks).toString()) as StoredCall[];
    played.requests.push({ calls, authorization: request.headers.authorization, at: performance.now() });
    const refusal = played.refuse(calls);
    const play = refusal !== null && ["ok", "late", "partial"].includes(next as string) ? refusal : next;

    if (play === "reset") return void request.socket.resetAndDestroy();
    if (play === "html") return void response.end("<h1>Sign in to the hotel's network</h1>");
    if (play === "elsewhere")
      return void response.writeHead(302, { location: `${played.url}/elsewhere` }).end();
    if (typeof play === "object") {
      response.writeHead(play.status, { "content-type": "application/problem+json", ...play.headers });
      return void response.end(JSON.stringify(play.body ?? { detail: "No.", code: "no" }));
    }
    if (play === "partial") {
      // Only the first half was recorded, and only that is answered for.
      const half = calls.slice(0, Math.floor(calls.length / 2));
      return void response.end(JSON.stringify({ results: half.map(record) }));
    }
    const results = refusal === null ? calls.map(record) : [];
    if (play === "lost") return void request.socket.resetAndDestroy();
    if (play === "late") await new Promise((resolve) => setTimeout(resolve, LATE_MS));
    response.end(JSON.stringify({ results }));
  }

  function record(call: StoredCall, index: number) {
    if (call.model === "bad")
      return { index, id: call.id, outcome: "rejected", field: "model", reason: "model is bad." };
    const identity = identityOf(call);
    const outcome = played.store.has(identity) ? "corrected" : "added";
    played.store.set(identity, call);
    return { index, id: call.id, outcome };
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  played.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return played;
}
