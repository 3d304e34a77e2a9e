type Bytes = Uint8Array<ArrayBuffer>;

/** The shortest gzip header: deflate, no name, no time, unknown system (RFC 1952, 2.3). */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff);
/** What a flush ends with: an empty stored block that is not the last (RFC 1951, 3.2.4). */
const FLUSHED = Uint8Array.of(0, 0, 0xff, 0xff);
/** The last block, empty. */
const LAST = Uint8Array.of(3, 0);
const TRAILER_BYTES = 8;
const MOST_STORED_BYTES = 0xffff;

/**
 * Makes one gzip member (RFC 1952) of parts of deflate, each ended by a flush. `crc` and `length` are those of the text that they
 * unpack to, one after the other.
 */
export function gzipOf(parts: readonly Uint8Array[], crc: number, length: number): Bytes {
  const trailer = new DataView(new ArrayBuffer(TRAILER_BYTES));
  trailer.setUint32(0, crc, true);
  trailer.setUint32(4, length % 2 ** 32, true);
  return concat([HEADER, ...parts, LAST, new Uint8Array(trailer.buffer)]);
}

/** Gives the part that `gzipOf` made a member of, or `null` for any other member. */
export function partOf(gzip: Uint8Array): Uint8Array | null {
  const part = gzip.subarray(HEADER.length, -TRAILER_BYTES - LAST.length);
  const last = gzip.subarray(HEADER.length + part.length, -TRAILER_BYTES);
  const right = startsWith(gzip, HEADER) && startsWith(part.subarray(-4), FLUSHED) && startsWith(last, LAST);
  return right ? part : null;
}

/** Gives a short text as a part that holds it as it is. */
export function storedPart(text: Uint8Array): Uint8Array {
  if (text.length > MOST_STORED_BYTES) throw new RangeError("longer than a stored block");
  const head = new DataView(new ArrayBuffer(5));
  head.setUint16(1, text.length, true);
  head.setUint16(3, ~text.length & MOST_STORED_BYTES, true);
  return concat([new Uint8Array(head.buffer), text]);
}

/** Gives some bytes one after the other. */
export function concat(parts: readonly Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let end = 0;
  for (const part of parts) {
    whole.set(part, end);
    end += part.length;
  }
  return whole;
}

function startsWith(bytes: Uint8Array, start: Uint8Array): boolean {
  return bytes.length >= start.length && start.every((byte, i) => bytes[i] === byte);
}
