/** A command Redis refused. The message is Redis's own, beginning with its code: "ERR syntax error". */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** Redis could not be asked: it is down, or went away before it answered. */
export class RedisUnavailableError extends Error {
  override readonly name = "RedisUnavailableError";
}
