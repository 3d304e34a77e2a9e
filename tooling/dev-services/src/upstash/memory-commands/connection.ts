import { bulk, type MemoryCommand } from "./memory-command.ts";

export const connectionCommands: Record<string, MemoryCommand> = {
  PING: { least: 0, most: 1, run: ({ args }) => bulk(args[0]) ?? "PONG" },
  ECHO: { least: 1, run: ({ args }) => bulk(args[0]) },
};
