import { type CommandRunner, type RedisReply } from "./command-runner.ts";
import { Keyspace } from "./keyspace.ts";
import { MEMORY_COMMANDS, type MemoryCommand } from "./memory-commands.ts";
import { RedisError } from "./redis-error.ts";

export interface MemoryRunnerOptions {
  /** Milliseconds since the epoch; a test passes a clock it can turn. */
  now?: () => number;
}

/** Runs commands on strings held in this process: what our cache needs of Redis, where there is no Redis. */
export function createMemoryRunner({ now = Date.now }: MemoryRunnerOptions = {}): CommandRunner {
  const keys = new Keyspace(now);

  function run([name = "", ...args]: string[]): RedisReply {
    return findCommand(name, args).run(keys, args);
  }

  return {
    run: async (command) => run(command),
    async transaction(commands) {
      for (const [name = "", ...args] of commands) findCommand(name, args);
      // Nothing comes in between because nothing here waits.
      return commands.map((command) => {
        try {
          return run(command);
        } catch (error) {
          if (error instanceof RedisError) return error;
          throw error;
        }
      });
    },
    close() {
      keys.clear();
      return Promise.resolve();
    },
  };
}

/** @throws RedisError, as Redis does even before it queues a command, when it is unknown or its words are too few or too many. */
function findCommand(name: string, args: string[]): MemoryCommand {
  const command = MEMORY_COMMANDS.get(name.toUpperCase());
  if (!command) throw new RedisError(unknownCommand(name, args));
  const { least, most = least } = command;
  if (args.length < least || args.length > most) {
    throw new RedisError(`ERR wrong number of arguments for '${name.toLowerCase()}' command`);
  }
  return command;
}

/** Redis's words, cut where Redis cuts them. */
function unknownCommand(name: string, args: string[]): string {
  let quoted = "";
  for (const arg of args) {
    if (quoted.length >= 128) break;
    quoted += `'${arg.slice(0, 128 - quoted.length)}' `;
  }
  return `ERR unknown command '${name.slice(0, 128)}', with args beginning with: ${quoted}`;
}
