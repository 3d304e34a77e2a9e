import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

/** A text with what says whether it may be given out: its own key, the generation it is valid in, and until when. */
export type Envelope = { key: string; generation: string; expiresAt: number; bytes: Uint8Array<ArrayBuffer> };

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

/** For a store in this process: envelopes as they are. */
export function plainEnvelopes({ maxBytes }: { maxBytes: number }): EnvelopeFormat {
  return {
    encode: async (envelope) => (envelope.bytes.length > maxBytes ? null : envelope),
    decode(found) {
      if (typeof found === "object" && found !== null && "bytes" in found) return found as Envelope;
      throw new Unreadable("no envelope");
    },
  };
}

type Header = [
  key: string,
  generation: string,
  expiresAt: number,
  encoding: "plain" | "gzip",
  length: number,
];

// A value comes from outside: it must not unpack to more than the server can hold.
const MOST_UNPACKED_BYTES = 64_000_000;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** For a store of texts: a line of JSON, and the text; packed if it has more than `packOver` bytes. */
export function textEnvelopes({
  packOver,
  maxLength,
}: {
  packOver: number;
  maxLength: number;
}): EnvelopeFormat {
  return {
    async encode({ key, generation, expiresAt, bytes }) {
      const packed = bytes.length > packOver;
      const body = packed
        ? (await pack(bytes, { level: 1 })).toString("base64")
        : Buffer.from(bytes).toString();
      const header: Header = [key, generation, expiresAt, packed ? "gzip" : "plain", body.length];
      return body.length > maxLength ? null : `${JSON.stringify(header)}\n${body}`;
    },
    async decode(found) {
      if (typeof found !== "string") throw new Unreadable("not a text");
      const end = found.indexOf("\n");
      const header = end === -1 ? null : parseHeader(found.slice(0, end));
      if (header === null) throw new Unreadable("no header");
      const [key, generation, expiresAt, encoding, length] = header;
      if (found.length !== end + 1 + length) throw new Unreadable("cut off");
      const body = found.slice(end + 1);
      const bytes = encoding === "plain" ? Buffer.from(body) : await unpacked(body);
      return { key, generation, expiresAt, bytes };
    },
  };
}

async function unpacked(body: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return await unpack(Buffer.from(body, "base64"), { maxOutputLength: MOST_UNPACKED_BYTES });
  } catch {
    throw new Unreadable("not packed right");
  }
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
