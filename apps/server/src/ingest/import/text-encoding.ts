import { isUtf8 } from "node:buffer";
import { OperatorError } from "../../operator-error.ts";
import { readHead } from "./read-head.ts";

/** Why a line of other bytes is rejected. Never are they read as the replacement character: different names would become one. */
export const NOT_UTF8 = "The line is not valid UTF-8.";

/** What to do about it. */
export const NAME_ENCODING =
  "If the file is in another encoding, name it with --encoding, such as windows-1252.";

/** The encoding that a label of the WHATWG standard means. Throws `OperatorError` for none. https://encoding.spec.whatwg.org/#names-and-labels */
export function encodingOf(label = "utf-8"): string {
  try {
    return new TextDecoder(label).encoding;
  } catch (cause) {
    throw new OperatorError(
      `--encoding does not know ${label}. It takes utf-8, windows-1252, iso-8859-15, shift_jis, gb18030 and the like.`,
      { cause },
    );
  }
}

/**
 * A text's bytes in UTF-8, without a byte order mark, which is believed before `encoding`. What claims to be UTF-8 is passed on as
 * it is, to be checked line by line. Throws `OperatorError` where it is not what it claims to be otherwise.
 */
export async function* asUtf8(
  bytes: AsyncIterable<Uint8Array>,
  encoding: string,
): AsyncGenerator<Uint8Array> {
  const { head, all } = await readHead(bytes, 3);
  const marked = markedEncoding(head);
  const actual = marked ?? encoding;
  yield* actual === "utf-8" ? withoutFirst(all, marked === null ? 0 : 3) : decoded(all, actual);
}

function markedEncoding(head: Uint8Array): string | null {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return "utf-8";
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  return head[0] === 0xfe && head[1] === 0xff ? "utf-16be" : null;
}

async function* withoutFirst(bytes: AsyncIterable<Uint8Array>, count: number): AsyncGenerator<Uint8Array> {
  let left = count;
  for await (const piece of bytes) {
    yield left === 0 ? piece : piece.subarray(left);
    // The head that was looked at comes first, in one piece.
    left = 0;
  }
}

async function* decoded(bytes: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<Uint8Array> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const decode = (piece?: Uint8Array) => {
    try {
      return Buffer.from(decoder.decode(piece, { stream: piece !== undefined }), "utf8");
    } catch (cause) {
      throw new OperatorError(`The text is not valid ${encoding}: is --encoding right?`, { cause });
    }
  };
  for await (const piece of bytes) yield decode(piece);
  yield decode();
}

/** The text of bytes; `null` where they are not UTF-8. */
export function utf8Of(bytes: Buffer): string | null {
  return isUtf8(bytes) ? bytes.toString("utf8") : null;
}

/** Bytes that are no text, to be seen: all but ASCII as `\xfc`, so that nothing of them is lost. */
export function escapedBytes(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString("latin1")
    .replace(/[\u0080-\u00ff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`);
}
