import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { digestOf } from "./compress.ts";
import {
  decodeTextEnvelope,
  type Envelope,
  type EnvelopeFormat,
  type Header,
  type TextDecoding,
  Unreadable,
} from "./text-envelope.ts";

/** For a store in this process: envelopes as they are. */
export function plainEnvelopes({ maxBytes }: { maxBytes: number }): EnvelopeFormat {
  return {
    encode: async (envelope) => (envelope.payload.bytes.length > maxBytes ? null : envelope),
    decode(found) {
      if (typeof found === "object" && found !== null && "payload" in found) return found as Envelope;
      throw new Unreadable("no envelope");
    },
  };
}

// A value comes from outside: it must not unpack to more than the server can hold.
const MOST_UNPACKED_BYTES = 64_000_000;

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/**
 * For a store of texts: a line of JSON, and the text; packed if it was compressed to be sent, and then as it is sent, or if it has more
 * than `packOver` bytes.
 */
export function textEnvelopes({
  packOver,
  maxLength,
}: {
  packOver: number;
  maxLength: number;
}): EnvelopeFormat {
  return {
    async encode({ key, generation, expiresAt, payload }) {
      const { bytes, encoded } = payload;
      const packed = encoded?.gzip ?? (bytes.length > packOver ? await pack(bytes, { level: 1 }) : null);
      const body = packed === null ? Buffer.from(bytes).toString() : Buffer.from(packed).toString("base64");
      // Gzip brings a checksum of its own.
      const digest = payload.digest ?? (packed === null ? digestOf(bytes) : null);
      const encoding = packed === null ? "plain" : "gzip";
      const header: Header = [key, generation, expiresAt, encoding, body.length, digest];
      return body.length > maxLength ? null : `${JSON.stringify(header)}\n${body}`;
    },
    decode: (found) => decodeTextEnvelope(found, NODE),
  };
}

const NODE: TextDecoding = {
  digestOf,
  async unpack(base64) {
    const gzipped = new Uint8Array(Buffer.from(base64, "base64"));
    return { gzip: gzipped, bytes: await unpack(gzipped, { maxOutputLength: MOST_UNPACKED_BYTES }) };
  },
};
