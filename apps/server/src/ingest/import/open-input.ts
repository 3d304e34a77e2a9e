import { open, type FileHandle } from "node:fs/promises";
import { type Readable } from "node:stream";
import { OperatorError } from "../../operator-error.ts";
import { gunzip } from "./gunzip.ts";
import { readHead } from "./read-head.ts";

/** A file or standard input, unpacked where it is gzip. */
export type Input = {
  /** For messages: the path as given, or "standard input". */
  name: string;
  bytes: AsyncIterable<Uint8Array>;
  /** The size before unpacking; null where only the end will tell. */
  totalBytes: number | null;
  /** How much has been read so far, before unpacking. */
  bytesRead(): number;
  /** Stops reading: `bytes` ends or throws. */
  close(): void;
};

/** Opens a path, or `stdin` for `-`. Throws `OperatorError` where there is nothing to read. */
export async function openInput(path: string, stdin: Readable): Promise<Input> {
  if (path === "-") return readingFrom(stdin, "standard input", null);
  const file = await openFile(path);
  const stats = await file.stat();
  if (stats.isDirectory()) {
    await file.close();
    throw new OperatorError(`${path} is a directory. Name a file of calls in it.`);
  }
  return readingFrom(file.createReadStream(), path, stats.isFile() ? stats.size : null);
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    return await open(path);
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code === "ENOENT") throw new OperatorError(`There is no file ${path}.`, { cause });
    if (code === "EACCES") throw new OperatorError(`${path} may not be read by this user.`, { cause });
    throw new OperatorError(`${path} cannot be opened: ${String(cause)}.`, { cause });
  }
}

function readingFrom(stream: Readable, name: string, totalBytes: number | null): Input {
  let bytesRead = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  return {
    name,
    bytes: unpacked(counted(), name),
    totalBytes,
    bytesRead: () => bytesRead,
    close: () => void stream.destroy(),
  };
}

/** Tells gzip by its first two bytes, whatever the file is called: an NDJSON file cannot begin with them. */
async function* unpacked(bytes: AsyncGenerator<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const { head, all } = await readHead(bytes, 2);
  yield* head[0] === 0x1f && head[1] === 0x8b ? gunzip(all, name) : all;
}
