import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createMemoryRunner } from "@usage-stats/dev-services/upstash";

/** What a replica may answer, being told that it writes nothing. */
const READ_ONLY = new Set(["GET", "MGET", "EVAL_RO", "EVALSHA_RO", "EXISTS", "TTL", "PTTL"]);

type Reply = string | Buffer | number | null | Reply[];

/** An Upstash with a primary, and a replica that is late by `lagMs` and answers whatever writes nothing, also in a pipeline. */
export async function startLaggingUpstash(lagMs: number) {
  const primary = createMemoryRunner();
  const replica = createMemoryRunner();
  const asked = { primary: 0, replica: 0 };

  async function run(command: (string | number)[]): Promise<Reply> {
    const words = command.map(String);
    if (READ_ONLY.has(words[0]!.toUpperCase())) {
      asked.replica += 1;
      return replica.run(words);
    }
    asked.primary += 1;
    const reply = await primary.run(words);
    setTimeout(() => void replica.run(words), lagMs);
    return reply;
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await json(request);
    const commands = (request.url === "/pipeline" ? body : [body]) as string[][];
    const replies = [];
    for (const command of commands) replies.push({ result: plain(await run(command)) });
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(request.url === "/pipeline" ? replies : replies[0]));
  }

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: "x",
    asked,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function plain(reply: Reply): unknown {
  if (Array.isArray(reply)) return reply.map(plain);
  return Buffer.isBuffer(reply) ? reply.toString() : reply;
}
