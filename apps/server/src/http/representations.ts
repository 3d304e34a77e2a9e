import { compress, digestOf, type JoinedPayload, WORTH_COMPRESSING_BYTES } from "@usage-stats/cache";
import { type ContentCoding, type Payload } from "@usage-stats/core";

type Bytes = Uint8Array<ArrayBuffer>;

/** One text, in every way that it can be sent. */
export type Representations = {
  /** Tells the text from every other. */
  digest: string;
  /** What it can be had in, the best first. */
  codings: readonly ContentCoding[];
  /** Whether it is so short that it is compressed only for whoever refuses the plain text. */
  isShort: boolean;
  /** Its bytes in one of them, or (`null`) plain. */
  bytesIn(coding: ContentCoding | null): Bytes | Promise<Bytes>;
};

const BEST_KEPT: readonly ContentCoding[] = ["br", "gzip"];
/** Compressed to be sent once, brotli takes twice the time for a twelfth fewer bytes. */
const BEST_NEW: readonly ContentCoding[] = ["gzip", "br"];
const NONE: readonly ContentCoding[] = [];

/** Gives what a text can be sent in: as it is kept, or else compressed for whoever asks. */
export function representationsOf(payload: Payload): Representations {
  const { bytes, encoded } = payload;
  const codings = encoded === undefined ? NONE : BEST_KEPT.filter((coding) => encoded[coding] !== undefined);
  const isKept = codings.length > 0;
  return {
    digest: payload.digest ?? digestOf(bytes),
    codings: isKept ? codings : BEST_NEW,
    isShort: bytes.length < WORTH_COMPRESSING_BYTES,
    bytesIn: (coding) => (coding === null ? bytes : (encoded?.[coding] ?? compress(bytes, coding))),
  };
}

/** The same of a list of texts: in gzip only where all of them are kept in it. What is put together in gzip is kept with it. */
export function joinedRepresentations({ digest, length, plain, gzip }: JoinedPayload): Representations {
  let packed: Bytes | undefined;
  return {
    digest,
    codings: gzip === null ? NONE : ["gzip"],
    isShort: length < WORTH_COMPRESSING_BYTES,
    bytesIn: (coding) => (coding === null || gzip === null ? plain() : (packed ??= gzip())),
  };
}
