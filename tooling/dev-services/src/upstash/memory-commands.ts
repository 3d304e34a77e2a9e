import { connectionCommands } from "./memory-commands/connection.ts";
import { counterCommands } from "./memory-commands/counters.ts";
import { expiryCommands } from "./memory-commands/expiry.ts";
import { keyspaceCommands } from "./memory-commands/keyspace.ts";
import { type MemoryCommand } from "./memory-commands/memory-command.ts";
import { scriptCommands } from "./memory-commands/scripts.ts";
import { stringCommands } from "./memory-commands/strings.ts";

/** What the in-process store can do, by the command's name in upper case. */
export const MEMORY_COMMANDS = new Map<string, MemoryCommand>(
  Object.entries({
    ...connectionCommands,
    ...stringCommands,
    ...counterCommands,
    ...expiryCommands,
    ...keyspaceCommands,
    ...scriptCommands,
  }),
);
