import { type RedisError } from "./redis-error.ts";

/** What Redis answers: a status such as OK is a string, a stored value is its bytes. */
export type RedisReply = string | Buffer | number | null | RedisReply[];

/**
 * Runs one command, given as the client sent its words.
 * @throws RedisError with Redis's own message, such as "WRONGTYPE …"; RedisUnavailableError when there is no Redis to ask.
 */
export type RunCommand = (command: string[]) => Promise<RedisReply>;

/** Where the bridge runs its commands: the in-process store or a Redis server. */
export interface CommandRunner {
  run: RunCommand;
  /**
   * Runs all commands with nothing in between; a command that fails does not stop the others.
   * @throws RedisError, having run nothing, when one of them is unknown or has too few words.
   */
  transaction(commands: string[][]): Promise<(RedisReply | RedisError)[]>;
  close(): Promise<void>;
}
