import { createClient, ErrorReply, MultiErrorReply, RESP_TYPES } from "redis";
import { type CommandRunner, type RedisReply } from "./command-runner.ts";
import { refuseConnectionCommand } from "./connection-commands.ts";
import { withoutUpstashFlags } from "./without-upstash-flags.ts";
import { RedisError, RedisUnavailableError } from "./redis-error.ts";

const RECONNECT_EVERY_MS = 50;

/**
 * Runs commands on the Redis server at `url`. While that is down every command fails at once; it is found again by itself.
 * @throws Error when it cannot be reached now.
 */
export async function createRedisRunner(url: string): Promise<CommandRunner> {
  let everConnected = false;
  const client = createClient({
    url,
    RESP: 2,
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
    disableOfflineQueue: true,
    // Its CLIENT SETINFO would be two error replies on every connection to a Redis before 7.2.
    disableClientInfo: true,
    socket: { reconnectStrategy: () => everConnected && RECONNECT_EVERY_MS },
  });
  // Without a listener a lost connection ends the process. Whoever runs a command is told.
  client.on("error", () => undefined);
  await client.connect();
  everConnected = true;

  async function ask<T>(command: () => Promise<T>): Promise<T> {
    // node-redis queues a transaction even while it is offline, whatever `disableOfflineQueue` says.
    if (!client.isReady) throw new RedisUnavailableError("ERR Redis is not reachable");
    try {
      return await command();
    } catch (error) {
      if (error instanceof ErrorReply) throw error;
      throw new RedisUnavailableError("ERR Redis went away before it answered", { cause: error });
    }
  }

  return {
    async run(command) {
      refuseConnectionCommand(command);
      try {
        return toReply(await ask(() => client.sendCommand(withoutUpstashFlags(command))));
      } catch (error) {
        throw toRedisError(error);
      }
    },
    async transaction(commands) {
      for (const command of commands) refuseConnectionCommand(command);
      const multi = client.multi();
      for (const command of commands) multi.addCommand(withoutUpstashFlags(command));
      try {
        return (await ask(() => multi.exec())).map(toReply);
      } catch (error) {
        if (!(error instanceof MultiErrorReply)) throw toRedisError(error);
        return error.replies.map((reply) =>
          reply instanceof ErrorReply ? new RedisError(reply.message) : toReply(reply),
        );
      }
    },
    close() {
      client.destroy();
      return Promise.resolve();
    },
  };
}

function toReply(raw: unknown): RedisReply {
  if (Array.isArray(raw)) return raw.map(toReply);
  // A script may answer an error inside an array, which the REST API has no shape for.
  return raw instanceof ErrorReply ? raw.message : (raw as RedisReply);
}

function toRedisError(error: unknown): unknown {
  return error instanceof ErrorReply ? new RedisError(error.message, { cause: error }) : error;
}
