import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline/promises";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const script = fileURLToPath(new URL("own-postgres.ts", import.meta.url));

/** Runs own-postgres.ts in a process of its own, under `prefix` (for example setpriv) when given; killed after the test. */
export function ownerProcess(args: string[], prefix: string[] = []): ChildProcess {
  const [file = process.execPath, ...rest] = [...prefix, process.execPath, script, ...args];
  const child = spawn(file, rest, { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** The line of JSON the owner prints once its server is ready. */
export async function readyLine(
  child: ChildProcess,
): Promise<{ url: string; pid: number; adopted: boolean; uid: number }> {
  if (!child.stdout || !child.stderr) throw new Error("the owner has no pipes");
  let errors = "";
  child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  for await (const line of createInterface(child.stdout)) return JSON.parse(line);
  throw new Error(`the owner ended without a server:\n${errors}`);
}
