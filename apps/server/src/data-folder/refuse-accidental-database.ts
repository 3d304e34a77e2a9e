import { type Settings } from "../settings/settings.ts";
import { OperatorError } from "../operator-error.ts";
import { isThisMachine } from "../service-url.ts";

/**
 * Throws `OperatorError` where the embedded database would be used although whatever else is set is for real users: it would take their
 * calls, fill itself with made-up ones, and everything would look well.
 */
export function refuseAccidentalDatabase(settings: Settings): void {
  if (settings.embedded === true) return;
  const reason = reasonAgainst(settings);
  if (reason === null) return;
  throw new OperatorError(
    `${reason}, but no DATABASE_URL is set; set it, or EMBEDDED=on to really use the embedded demo database.`,
  );
}

function reasonAgainst(settings: Settings): string | null {
  if (settings.embedded === false) return "EMBEDDED is off";
  if (settings.authSecret !== undefined) return "AUTH_SECRET is set";
  if (settings.authJwksUrl !== undefined) return "AUTH_JWKS_URL is set";
  if (settings.isProduction) return "NODE_ENV is production";
  // Other servers would give out what the demo's users spent.
  if (settings.cache.kind === "upstash") return "UPSTASH_REDIS_REST_URL is set";
  return isThisMachine(settings.host) ? null : "HOST is an address that others can reach";
}
