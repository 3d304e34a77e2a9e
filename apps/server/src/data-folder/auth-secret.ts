import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperatorError } from "../operator-error.ts";

/**
 * The secret that signs session tokens, made at first use and kept in the data folder, readable by its owner only. Throws
 * `OperatorError` where it cannot be kept or read.
 */
export async function loadAuthSecret(dataDir: string): Promise<string> {
  const path = join(dataDir, "auth-secret");
  const secret = await makeOrRead(dataDir, path).catch((cause: unknown) => {
    const code = codeOf(cause);
    if (code === null) throw cause;
    throw new OperatorError(
      `The secret that signs tokens cannot be kept in ${path} (${code}). Set AUTH_SECRET, or DATA_DIR to a folder that this user can write.`,
      { cause },
    );
  });
  if (secret.length < 32)
    throw new OperatorError(`${path} does not hold a secret; delete it to have a new one made.`);
  return secret;
}

async function makeOrRead(dataDir: string, path: string): Promise<string> {
  await mkdir(dataDir, { recursive: true });
  try {
    await writeFile(path, randomBytes(32).toString("base64url"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  }
  return (await readFile(path, "utf8")).trim();
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}
