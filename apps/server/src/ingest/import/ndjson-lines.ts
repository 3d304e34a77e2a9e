import { escapedBytes, NOT_UTF8, utf8Of } from "./text-encoding.ts";

/** Bytes of a line at the most, without its line ending. */
export const MAX_LINE_BYTES = 2 ** 20;

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SHOWN_BYTES = 200;

/** Line `number` counts from 1, blank lines included; of a line that cannot be read, `start` shows how it begins. */
export type NdjsonLine = { number: number; text: string } | { number: number; error: string; start: string };

/**
 * Cuts a stream of bytes into its lines, in memory that does not grow with the stream or with a line. Blank lines are
 * counted and left out; a byte order mark, CRLF and a missing last line ending are taken as they come. Throws what the stream throws.
 */
export async function* ndjsonLines(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<NdjsonLine> {
  const line = new LineBuffer();
  let number = 1;
  for await (const chunk of bytes) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      line.add(chunk.subarray(start, end));
      const read = line.take(number);
      if (read !== null) yield read;
      number += 1;
      start = end + 1;
    }
    line.add(chunk.subarray(start));
  }
  const read = line.take(number);
  if (read !== null) yield read;
}

/** The pieces of the line being read, of which no more is kept than a line may have. */
class LineBuffer {
  private pieces: Uint8Array[] = [];
  private length = 0;

  add(piece: Uint8Array): void {
    if (piece.length === 0) return;
    // One more byte for the carriage return, three for the byte order mark.
    if (this.length <= MAX_LINE_BYTES + 4) this.pieces.push(piece);
    this.length += piece.length;
  }

  /** The line, or null where it is blank; begins the next one. */
  take(number: number): NdjsonLine | null {
    const { pieces } = this;
    this.pieces = [];
    this.length = 0;
    const whole = pieces.length === 1 ? view(pieces[0]!) : Buffer.concat(pieces);
    const line = trimEnding(number === 1 ? trimByteOrderMark(whole) : whole);
    if (line.length > MAX_LINE_BYTES)
      return { number, error: "The line is longer than 1 MiB.", start: beginningOf(line) };
    const text = utf8Of(line);
    if (text === null) return { number, error: NOT_UTF8, start: escapedBytes(line.subarray(0, SHOWN_BYTES)) };
    return text.trim() === "" ? null : { number, text };
  }
}

function view(piece: Uint8Array): Buffer {
  return Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength);
}

function trimByteOrderMark(line: Buffer): Buffer {
  return line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf ? line.subarray(3) : line;
}

function trimEnding(line: Buffer): Buffer {
  return line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line;
}

function beginningOf(line: Buffer): string {
  return line.toString("utf8", 0, SHOWN_BYTES);
}
