import { crc32 } from "node:zlib";
import { type Payload } from "@usage-stats/core";
import { digestOf, WORTH_COMPRESSING_BYTES } from "./compress.ts";
import { concat, gzipOf, partOf, storedPart } from "./joined-gzip.ts";

const encoder = new TextEncoder();
const [OPEN, COMMA, CLOSE] = ["[", ",", "]"].map((text) => encoder.encode(text)) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

/** A JSON list of texts, as whoever asks takes it. */
export type JoinedPayload = {
  /** Of the plain text, in bytes. */
  length: number;
  digest: string;
  plain(): Uint8Array<ArrayBuffer>;
  /** `null` where not all of them are kept in gzip: nothing is compressed for this. */
  gzip: (() => Uint8Array<ArrayBuffer>) | null;
};

/** Joins the texts of several JSON values to that of their list. Its gzip is put together of theirs, which costs no compressing. */
export function joinPayloads(payloads: readonly Payload[]): JoinedPayload {
  const parts = payloads.map(gzipPartOf);
  const digests = payloads.map(({ bytes, digest }) => digest ?? digestOf(bytes));
  const texts = listOf(
    payloads.map(({ bytes }) => bytes),
    OPEN,
    COMMA,
    CLOSE,
  );
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return {
    length,
    digest: digestOf(encoder.encode(JSON.stringify(digests))),
    plain: () => concat(texts),
    gzip: !parts.every((part) => part !== null)
      ? null
      : () =>
          gzipOf(
            listOf(parts, storedPart(OPEN), storedPart(COMMA), storedPart(CLOSE)),
            texts.reduce((crc, text) => crc32(text, crc), 0),
            length,
          ),
  };
}

function gzipPartOf({ bytes, encoded }: Payload): Uint8Array | null {
  if (encoded?.gzip !== undefined) return partOf(encoded.gzip);
  return encoded !== undefined && bytes.length < WORTH_COMPRESSING_BYTES ? storedPart(bytes) : null;
}

function listOf(
  items: readonly Uint8Array[],
  open: Uint8Array,
  comma: Uint8Array,
  close: Uint8Array,
): Uint8Array[] {
  return [...items.flatMap((item, i) => [i === 0 ? open : comma, item]), close];
}
