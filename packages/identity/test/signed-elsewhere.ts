import { SignJWT } from "jose";
import { type SigningKey } from "./jwks-server.ts";

export const NOW = new Date("2025-06-20T12:00:00Z");
export const ISSUER = "https://id.example";
export const AUDIENCE = "usage-stats";

/** What whatever is wrong is refused with. */
export const INVALID_SESSION = { code: "invalid_token", message: "The session is not valid." };

/** A session token that somebody else signed; it expires in a minute. */
export function tokenOf(
  { kid, alg, privateKey }: SigningKey,
  change: (jwt: SignJWT) => SignJWT = (jwt) => jwt,
): Promise<string> {
  return change(
    new SignJWT({ role: "user" })
      .setProtectedHeader({ alg, kid })
      .setSubject("did:abt:z1alice")
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setExpirationTime(new Date(NOW.getTime() + 60_000)),
  ).sign(privateKey);
}
