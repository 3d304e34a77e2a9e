import { type CommandRunner, type RedisReply } from "./command-runner.ts";
import { Keyspace } from "./keyspace.ts";
import { MEMORY_COMMANDS } from "./memory-commands.ts";
import { type MemoryCommand } from "./memory-commands/memory-command.ts";
import { RedisError } from "./redis-error.ts";

export interface MemoryRunnerOptions {
  /** Milliseconds since the epoch; a test passes a clock it can turn. */
  now?: () => number;
}

const SCRIPT_COMMANDS = new Set("EVAL_RO EVALSHA EVALSHA_RO SCRIPT FCALL FCALL_RO FUNCTION".split(" "));

/** Runs commands on strings held in this process: what a cache needs of Redis, where there is no Redis. */
export function createMemoryRunner({ now = Date.now }: MemoryRunnerOptions = {}): CommandRunner {
  const keys = new Keyspace(now);

  function run([name = "", ...args]: string[]): RedisReply {
    return findCommand(name, args).run({ keys, args, name: name.toLowerCase() });
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
  const upperCase = name.toUpperCase();
  if (SCRIPT_COMMANDS.has(upperCase)) {
    throw new RedisError(`ERR '${name}' is refused: the in-process store has no scripts, a real Redis has`);
  }
  const command = MEMORY_COMMANDS.get(upperCase);
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
