/** How long a name may be, in characters and, because that is what indexes hold, in bytes of UTF-8. */
export type NameLimits = { max: number; maxBytes: number };

/** Tells whether a text is one by which something can be told: without control characters and halves of characters. */
export function isPrintable(text: string): boolean {
  return !/\p{Cc}/u.test(text) && text.isWellFormed();
}

/** Tells whether a text takes at most so many bytes in UTF-8. */
export function fitsBytes(text: string, maxBytes: number): boolean {
  return text.length * 3 <= maxBytes || new TextEncoder().encode(text).length <= maxBytes;
}

/** Tells whether a text may be a name of such a length. */
export function isName(text: string, { max, maxBytes }: NameLimits): boolean {
  return text !== "" && text.length <= max && isPrintable(text) && fitsBytes(text, maxBytes);
}
