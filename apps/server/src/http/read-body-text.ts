import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { UsageStatsError } from "@usage-stats/core";

export type BodyRules = {
  /** Of the body as it is sent, and of what it unpacks to. */
  maxBytes: number;
  /** Media types, in small letters. */
  types: readonly string[];
  /** Whether it may be packed with gzip. */
  gzip?: boolean;
};

const unpack = promisify(gunzip);

/**
 * The body of a request as text, and its media type; empty where there is none. Throws `unsupported_media_type`,
 * `unsupported_encoding`, `too_large` (before all of it has arrived, or was unpacked), and `bad_json` for what is not UTF-8.
 */
export async function readBodyText(
  request: Request,
  rules: BodyRules,
): Promise<{ text: string; type: string }> {
  const isPacked = checkEncoding(request.headers, rules);
  const type = (request.headers.get("content-type") ?? "").split(";")[0]!.trim().toLowerCase();
  if (!rules.types.includes(type)) {
    if (await isEmpty(request)) return { text: "", type };
    throw new UsageStatsError("unsupported_media_type", `The body must be ${rules.types.join(" or ")}.`, {
      value: type,
      limit: rules.types.join(", "),
    });
  }
  const sent = await readBytes(request, rules.maxBytes);
  if (sent.length === 0) return { text: "", type };
  const bytes = isPacked ? await unpackBytes(sent, rules.maxBytes) : sent;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes), type };
  } catch (cause) {
    throw new UsageStatsError("bad_json", "The body is not UTF-8.", { field: "body", cause });
  }
}

const MAX_SMALL_BYTES = 10_000;

/** The same of a body that has to be JSON, not packed, and of 10 kB at the most unless more is allowed. */
export async function readJsonText(request: Request, maxBytes = MAX_SMALL_BYTES): Promise<string> {
  const { text } = await readBodyText(request, { maxBytes, types: ["application/json"] });
  return text;
}

/** Whether the body is packed. */
export function checkEncoding(headers: Headers, { gzip = false }: Pick<BodyRules, "gzip">): boolean {
  const encoding = (headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding === "identity") return false;
  if (gzip && encoding === "gzip") return true;
  const message = gzip ? "The body may be packed with gzip only." : "The body must not be compressed.";
  throw new UsageStatsError("unsupported_encoding", message, { value: encoding });
}

/** Told by the first piece of a body: no more of it is read. */
async function isEmpty({ body }: Request): Promise<boolean> {
  for await (const chunk of body ?? []) if (chunk.length > 0) return false;
  return true;
}

/** Throws `too_large` once there is more than that. */
export async function readBytes(request: Request, maxBytes: number): Promise<Uint8Array> {
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

/** Unpacks no more than `maxBytes`, however small it is packed. */
export async function unpackBytes(packed: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  try {
    return await unpack(packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE")
      throw tooLarge(maxBytes);
    throw new UsageStatsError("bad_json", "The body is not gzip, though it says so.", {
      field: "body",
      cause,
    });
  }
}

function tooLarge(maxBytes: number): UsageStatsError {
  return new UsageStatsError("too_large", `The body is larger than ${maxBytes.toLocaleString("en")} bytes.`, {
    field: "body",
    limit: String(maxBytes),
  });
}
