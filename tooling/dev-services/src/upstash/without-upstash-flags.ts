const SHEBANG = /^#!lua flags=([^\n]*)/;
const UPSTASH_FLAGS = new Set(["allow-key-locking"]);

/**
 * A script's command as Redis takes it: without the flags that only Upstash knows (`allow-key-locking` lets scripts with
 * other keys run beside it), which Redis refuses. What the script does is the same.
 */
export function withoutUpstashFlags(command: string[]): string[] {
  const [name = "", script] = command;
  if (!/^eval(_ro)?$/i.test(name) || script === undefined) return command;
  const plain = script.replace(SHEBANG, (_, flags: string) => {
    const left = flags.split(",").filter((flag) => !UPSTASH_FLAGS.has(flag.trim()));
    return left.length === 0 ? "#!lua" : `#!lua flags=${left.join(",")}`;
  });
  return [name, plain, ...command.slice(2)];
}
