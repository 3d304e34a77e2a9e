import { ConnectionRefusal } from "./connection-refusal.ts";

/** Settings of a session by their names, in the order in which they are given. */
export type SessionSettings = Readonly<Record<string, string>>;

// What answers depend on, and what bounds every wait, is not anybody else's.
const OURS = new Set([
  "datestyle",
  "intervalstyle",
  "timezone",
  "extra_float_digits",
  "standard_conforming_strings",
  "bytea_output",
  "array_nulls",
  "transform_null_equals",
  "client_encoding",
  "synchronous_commit",
  "default_transaction_isolation",
  "session_replication_role",
  "statement_timeout",
  "lock_timeout",
  "transaction_timeout",
  "idle_session_timeout",
  "idle_in_transaction_session_timeout",
]);

/** Reads the parameter `options`: `-c name=value` and `--name=value`, separated by spaces, `\` before a space that is meant. */
export function readSessionOptions(text: string): SessionSettings {
  const words = (text.match(/(?:\\.|[^\s\\])+/gs) ?? []).map((word) => word.replaceAll(/\\(.)/gs, "$1"));
  const settings: Record<string, string> = {};
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] === "-c" ? `-c${words[(i += 1)] ?? ""}` : words[i]!;
    const [, name, value] = /^(?:-c|--)([^=]+)=(.*)$/s.exec(word) ?? [];
    if (name === undefined || value === undefined) {
      throw new ConnectionRefusal(
        `options may hold -c name=value only, such as options=-csearch_path%3Dusage. Got "${word}".`,
      );
    }
    const key = name.replaceAll("-", "_").toLowerCase();
    if (OURS.has(key))
      throw new ConnectionRefusal(`options must not set ${key}: this program sets it itself.`);
    settings[key] = value;
  }
  return settings;
}
