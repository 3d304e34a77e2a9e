import { type Payload } from "@usage-stats/core";

/** A payload with what says whether it may be given out: its own key, the generation it is valid in, and until when. */
export type Envelope = { key: string; generation: string; expiresAt: number; payload: Payload };

/** What is kept of an envelope: a text, except in this process, which keeps envelopes as they are. */
export type CacheValue = string | Envelope;

/** How envelopes are kept in a store. */
export type EnvelopeFormat = {
  /** `null` for a text that is too large to be kept. */
  encode(envelope: Envelope): Promise<CacheValue | null>;
  /** Reads what was found, which may be anything. Throws `Unreadable` if it is not what was encoded. */
  decode(found: unknown): Envelope | Promise<Envelope>;
};

export class Unreadable extends Error {
  override readonly name = "Unreadable";
}

export type Header = [
  key: string,
  generation: string,
  expiresAt: number,
  encoding: "plain" | "gzip",
  length: number,
  /** Of the text; `null` where gzip's own checksum is all that it has. */
  digest: string | null,
];

type Bytes = Uint8Array<ArrayBuffer>;

/** What reading an envelope takes of the runtime. */
export type TextDecoding = {
  /** Undoes base64 and gzip; throws for what is none, not as long as it says, altered, or too large. */
  unpack(base64: string): Promise<{ gzip: Bytes; bytes: Bytes }>;
  digestOf(bytes: Bytes): string;
};

/**
 * Reads an envelope of a store of texts: a line of JSON, and the payload, in base64 if it is packed. Throws `Unreadable` if it is not what
 * was encoded: a packed text is held to gzip's checksum, a plain one to its digest.
 */
export async function decodeTextEnvelope(
  found: unknown,
  { unpack, digestOf }: TextDecoding,
): Promise<Envelope> {
  if (typeof found !== "string") throw new Unreadable("not a text");
  const end = found.indexOf("\n");
  const header = end === -1 ? null : parseHeader(found.slice(0, end));
  if (header === null) throw new Unreadable("no header");
  const [key, generation, expiresAt, encoding, length, digest] = header;
  if (found.length !== end + 1 + length) throw new Unreadable("cut off");
  const body = found.slice(end + 1);
  if (encoding === "plain") {
    const bytes = new TextEncoder().encode(body);
    if (digest === null || digestOf(bytes) !== digest) throw new Unreadable("not what was written");
    return { key, generation, expiresAt, payload: { bytes, digest, encoded: {} } };
  }
  const { gzip, bytes } = await unpack(body).catch(() => {
    throw new Unreadable("not packed right");
  });
  const payload = { bytes, encoded: { gzip }, ...(digest !== null && { digest }) };
  return { key, generation, expiresAt, payload };
}

function parseHeader(text: string): Header | null {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    return null;
  }
  if (!Array.isArray(header) || header.length !== 6) return null;
  const [key, generation, expiresAt, encoding, length, digest] = header as unknown[];
  const right =
    typeof key === "string" &&
    typeof generation === "string" &&
    typeof expiresAt === "number" &&
    (encoding === "plain" || encoding === "gzip") &&
    typeof length === "number" &&
    (digest === null || typeof digest === "string");
  return right ? (header as Header) : null;
}
