import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program that listens. */
export type Listening = { url: string; pid: number; stop(): Promise<void> };

/**
 * Runs a Node program until it prints `ready`, whose first group is the address it listens at. Throws with what it printed
 * where it ends before that.
 */
export async function startProgram(
  file: string,
  args: string[],
  { env, ready }: { env: Record<string, string>; ready: RegExp },
): Promise<Listening> {
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", file, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      const match = ready.exec(printed);
      if (match) resolve(match[1]!);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("close", () => reject(new Error(`${file} ended:\n${printed}`)));
  });
  return {
    url,
    pid: child.pid!,
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}
