/** A text with what says whether it may be given out: its own key, the generation it is valid in, and until when. */
export type Envelope = { key: string; generation: string; expiresAt: number; bytes: Uint8Array<ArrayBuffer> };

/** What is kept of an envelope: a text, except in this process, which keeps envelopes as they are. */
export type CacheValue = string | Envelope;

export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

export type Header = [
  key: string,
  generation: string,
  expiresAt: number,
  encoding: "plain" | "gzip",
  length: number,
];

/**
 * Reads an envelope of a store of texts: a line of JSON, and the payload, in base64 if it is packed; `unpack` undoes gzip, and throws for
 * what is none or too large. Throws `Unreadable` if it is not what was encoded.
 */
export async function decodeTextEnvelope(
  found: unknown,
  unpack: (base64: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<Envelope> {
  if (typeof found !== "string") throw new Unreadable("not a text");
  const end = found.indexOf("\n");
  const header = end === -1 ? null : parseHeader(found.slice(0, end));
  if (header === null) throw new Unreadable("no header");
  const [key, generation, expiresAt, encoding, length] = header;
  if (found.length !== end + 1 + length) throw new Unreadable("cut off");
  const body = found.slice(end + 1);
  if (encoding === "plain") return { key, generation, expiresAt, bytes: new TextEncoder().encode(body) };
  const bytes = await unpack(body).catch(() => {
    throw new Unreadable("not packed right");
  });
  return { key, generation, expiresAt, bytes };
}

function parseHeader(text: string): Header | null {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(header) || header.length !== 5) return null;
  const [key, generation, expiresAt, encoding, length] = header as unknown[];
  const right =
    typeof key === "string" &&
    typeof generation === "string" &&
    typeof expiresAt === "number" &&
    (encoding === "plain" || encoding === "gzip") &&
    typeof length === "number";
  return right ? (header as Header) : null;
}
