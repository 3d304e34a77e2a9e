import { UsageError } from "@usage-stats/core";

/**
 * The body of a request that has to be JSON, as text; empty where there is none. Throws `unsupported_media_type`,
 * `unsupported_encoding`, `too_large` (before all of it has arrived), and `bad_json` for what is not UTF-8.
 */
export async function readJsonText(request: Request, maxBytes: number): Promise<string> {
  const encoding = request.headers.get("content-encoding") ?? "identity";
  if (encoding.toLowerCase() !== "identity")
    throw new UsageError("unsupported_encoding", "The body must not be compressed.", { value: encoding });
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return "";
  const type = request.headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type))
    throw new UsageError("unsupported_media_type", "The body must be application/json.", { value: type });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UsageError("bad_json", "The body is not UTF-8.", { field: "body", cause });
  }
}

async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
  if (request.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body.
  for await (const chunk of request.body) {
    size += chunk.length;
    if (size > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): UsageError {
  return new UsageError("too_large", `The body is larger than ${maxBytes.toLocaleString("en")} bytes.`, {
    field: "body",
    limit: String(maxBytes),
  });
}
