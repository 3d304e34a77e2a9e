import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import {
  type CacheValue,
  decodeTextEnvelope,
  type Envelope,
  type Header,
  Unreadable,
} from "./text-envelope.ts";

/** How envelopes are kept in a store. */
export type EnvelopeFormat = {
  /** `null` for a text that is too large to be kept. */
  encode(envelope: Envelope): Promise<CacheValue | null>;
  /** Reads what was found, which may be anything. Throws `Unreadable` if it is not what was encoded. */
  decode(found: unknown): Envelope | Promise<Envelope>;
};

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
    decode: (found) => decodeTextEnvelope(found, unpackBase64),
  };
}

function unpackBase64(body: string): Promise<Uint8Array<ArrayBuffer>> {
  return unpack(Buffer.from(body, "base64"), { maxOutputLength: MOST_UNPACKED_BYTES });
}
