import { base64url } from "jose";

/** `usk_<id>_<secret>`: recognisable to secret scanners. The id finds the key; the secret is 256 random bits. */
const FORMAT = /^usk_([a-z2-7]{12})_([\w-]{43})$/;
const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Whether a bearer token says that it is an API key. */
export function isKeyText(text: string): boolean {
  return text.startsWith("usk_");
}

/** The parts of an API key, or `null` for what is none. */
export function parseKeyText(text: string): { id: string; secret: string } | null {
  const match = FORMAT.exec(text);
  return match && { id: match[1]!, secret: match[2]! };
}

/** An id of 60 random bits. */
export function newKeyId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => ID_ALPHABET[byte % ID_ALPHABET.length]).join("");
}

/** A new secret for a key: the text to be shown once, and the hash to be kept. */
export async function newKeyText(id: string): Promise<{ text: string; hash: string }> {
  const secret = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  return { text: `usk_${id}_${secret}`, hash: await hashOfSecret(secret) };
}

/** SHA-256 in hexadecimal. */
export async function hashOfSecret(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(secret));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
