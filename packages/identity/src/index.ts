export { secretGoodUntil, verifyApiKey } from "./api-key.ts";
export { allowFilter, type Identity, requireScope, resolveUser, type Role } from "./identity.ts";
export { hashOfSecret, isKeyText, newKeyId, newKeyText, parseKeyText } from "./key-text.ts";
export { type Session } from "./session.ts";
export { publicKeys, secretKey, type SessionKeys } from "./session-keys.ts";
export { type SessionChecks, signSessionToken, verifySessionToken } from "./session-token.ts";
export {
  createSignViewerToken,
  isViewerToken,
  type SignViewerToken,
  verifyViewerToken,
} from "./viewer-token.ts";
