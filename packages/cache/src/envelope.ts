import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

/** A text as it is kept: with its own key, the generation it is valid in, and how long it is, to be checked when it is read. */
export type Envelope = { key: string; generation: string; expiresAt: number; text: string };

export type Opened =
  | { state: "valid"; text: string; expiresAt: number }
  /** It was made before something changed. */
  | { state: "outdated" }
  /** It is not what was written under this key. */
  | { state: "unreadable"; why: string };

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

/** Writes an envelope; a text longer than `packOver` is packed. */
export async function sealEnvelope(
  { key, generation, expiresAt, text }: Envelope,
  packOver: number,
): Promise<string> {
  const packed = text.length > packOver;
  const body = packed ? (await pack(text, { level: 1 })).toString("base64") : text;
  const header: Header = [key, generation, expiresAt, packed ? "gzip" : "plain", body.length];
  return `${JSON.stringify(header)}\n${body}`;
}

/** Reads what was found under a key, which may be anything. */
export async function openEnvelope(found: unknown, key: string, generation: string): Promise<Opened> {
  if (typeof found !== "string") return unreadable("not a text");
  const end = found.indexOf("\n");
  const header = end === -1 ? null : parseHeader(found.slice(0, end));
  if (header === null) return unreadable("no header");
  const [itsKey, itsGeneration, expiresAt, encoding, length] = header;
  if (itsKey !== key) return unreadable("another key's value");
  if (found.length !== end + 1 + length) return unreadable("cut off");
  if (itsGeneration !== generation) return { state: "outdated" };
  const body = found.slice(end + 1);
  if (encoding === "plain") return { state: "valid", text: body, expiresAt };
  try {
    const bytes = await unpack(Buffer.from(body, "base64"), { maxOutputLength: MOST_UNPACKED_BYTES });
    return { state: "valid", text: bytes.toString(), expiresAt };
  } catch {
    return unreadable("not packed right");
  }
}

function unreadable(why: string): Opened {
  return { state: "unreadable", why };
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
