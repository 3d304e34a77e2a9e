import { RedisError } from "./redis-error.ts";

// These change or hold the one connection all requests share. The service refuses them over REST too.
const CONNECTION_COMMANDS = new Set(
  (
    "AUTH HELLO QUIT RESET SELECT CLIENT MONITOR SYNC PSYNC WAIT WAITAOF " +
    "MULTI EXEC DISCARD WATCH UNWATCH " +
    "SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE " +
    "BLPOP BRPOP BLMOVE BLMPOP BRPOPLPUSH BZPOPMIN BZPOPMAX BZMPOP"
  ).split(" "),
);

/** @throws RedisError when `command` needs a connection of its own. */
export function refuseConnectionCommand([name = ""]: string[]): void {
  if (CONNECTION_COMMANDS.has(name.toUpperCase())) {
    throw new RedisError(`ERR Command is not available: '${name}'`);
  }
}
