import { type RedisReply } from "../command-runner.ts";
import { type Keyspace } from "../keyspace.ts";

export interface MemoryCall {
  keys: Keyspace;
  /** The words after the command's name. */
  args: string[];
  /** Lower case, for errors. */
  name: string;
}

/** One command of the in-process store. */
export interface MemoryCommand {
  /** How many words must follow its name. */
  least: number;
  /** How many may; `least` when left out. */
  most?: number;
  run(call: MemoryCall): RedisReply;
}

/** A stored value as Redis answers it, or null. */
export function bulk(value: string | undefined): Buffer | null {
  return value === undefined ? null : Buffer.from(value);
}
