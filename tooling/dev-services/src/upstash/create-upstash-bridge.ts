import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type CommandRunner, type RedisReply } from "./command-runner.ts";
import { encodeReply } from "./encode-reply.ts";
import { MalformedRequestError, readCommand, readCommands, readPath } from "./read-command.ts";
import { RedisError, RedisUnavailableError } from "./redis-error.ts";
import { requireToken } from "./require-token.ts";

/** The service's limit for one request. */
const MAX_REQUEST_BYTES = 10 * 1024 * 1024;

export interface UpstashBridgeOptions {
  runner: CommandRunner;
  /** What clients must send to be answered. */
  token: string;
}

/** The REST API of Upstash Redis as an HTTP app, over `runner`. */
export function createUpstashBridge({ runner, token }: UpstashBridgeOptions): Hono {
  const app = new Hono();
  app.use(requireToken(token));
  app.use(
    bodyLimit({
      maxSize: MAX_REQUEST_BYTES,
      // What is left of the request stays unread, so the connection is of no more use.
      onError: (c) => c.json({ error: "ERR max request size exceeded" }, 413, { connection: "close" }),
    }),
  );

  app.on(["POST", "PUT"], "/", async (c) => {
    return c.json(answer(c, await runner.run(readCommand(await c.req.text()))));
  });

  app.on(["POST", "PUT"], "/pipeline", async (c) => {
    const commands = readCommands(await c.req.text());
    const replies = await Promise.all(commands.map((command) => runner.run(command).catch(asReply)));
    return c.json(replies.map((reply) => answer(c, reply)));
  });

  app.on(["POST", "PUT"], "/multi-exec", async (c) => {
    const replies = await runner.transaction(readCommands(await c.req.text()));
    return c.json(replies.map((reply) => answer(c, reply)));
  });

  app.get("*", async (c) => c.json(answer(c, await runner.run(pathCommand(c)))));

  app.on(["POST", "PUT"], "*", async (c) => {
    const body = await c.req.text();
    const command = pathCommand(c);
    // `POST /set/key?EX=60` with the value as its body: what follows the value has no other place than the query.
    if (body !== "") command.push(body, ...queryWords(c));
    return c.json(answer(c, await runner.run(command)));
  });

  app.all("*", (c) => c.json({ error: `ERR method ${c.req.method} is not allowed` }, 405));

  app.onError((error, c) => {
    if (error instanceof RedisError || error instanceof MalformedRequestError) {
      return c.json({ error: error.message }, 400);
    }
    if (error instanceof RedisUnavailableError) return c.json({ error: error.message }, 503);
    console.error(error);
    return c.json({ error: "ERR internal error" }, 500);
  });

  return app;
}

function answer(c: Context, reply: RedisReply | RedisError) {
  if (reply instanceof RedisError) return { error: reply.message };
  const encoding = c.req.header("upstash-encoding")?.toLowerCase() === "base64" ? "base64" : "utf8";
  return { result: encodeReply(reply, encoding) };
}

/** A refused command is one item of a pipeline's answer; that Redis is away is the answer of all of it. */
function asReply(error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  throw error;
}

function pathCommand(c: Context): string[] {
  return readPath(new URL(c.req.url).pathname);
}

function queryWords(c: Context): string[] {
  const words: string[] = [];
  for (const [name, value] of new URL(c.req.url).searchParams) {
    if (name === "_token") continue;
    words.push(name);
    if (value !== "") words.push(value);
  }
  return words;
}
