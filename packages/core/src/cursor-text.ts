import { UsageStatsError } from "./errors.ts";

const OFFSET_BASIS = 0xcbf29ce484222325n;
const PRIME = 0x100000001b3n;

/**
 * Tells one text from another: FNV-1a of its UTF-8, 64 bits, in hexadecimal (https://www.rfc-editor.org/rfc/rfc9923). It
 * is no secret and proves nothing: whoever asks is authorised anew for each page.
 */
export function fingerprint(text: string): string {
  let hash = OFFSET_BASIS;
  for (const byte of new TextEncoder().encode(text)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  return hash.toString(16).padStart(16, "0");
}

// Cursors of other versions are refused, because they do not come out the same again.
const VERSION = 2;

/** A place as text, which only a query of the same `scope` takes back. It is as long as the place, however long the scope is. */
export function encodeCursor(scope: unknown, place: readonly unknown[]): string {
  const fields = [VERSION, fingerprint(JSON.stringify(scope)), ...place];
  return btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(fields))))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

/** The place, unread, or `null` for what is no cursor at all. It belongs to a query only if it encodes to the same text there. */
export function decodeCursor(cursor: string): unknown[] | null {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(text, (char) => char.charCodeAt(0));
    const fields: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return Array.isArray(fields) ? fields.slice(2) : null;
  } catch {
    return null;
  }
}

/** What is thrown for a cursor that a query did not give out. */
export function invalidCursor(): UsageStatsError {
  return new UsageStatsError(
    "invalid_cursor",
    "The cursor does not belong to this question: use the nextCursor of its last page.",
    { field: "cursor" },
  );
}
