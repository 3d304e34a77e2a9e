import { type ConnectionTarget, connectionTarget } from "./connection-target.ts";
import { ConnectionRefusal } from "./connection-refusal.ts";
import { causeCode, sqlStateOf } from "./sqlstate.ts";

/**
 * A failure of the connection in a sentence: what is wrong, the value (never a password), what to do. `null` for any other failure.
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
export function explainFailure(error: unknown, url: string): string | null {
  if (error instanceof ConnectionRefusal) return error.message;
  if (!(error instanceof Error)) return null;
  let target: ConnectionTarget;
  try {
    target = connectionTarget(url);
  } catch {
    return null;
  }
  return explainRefusal(error, target) ?? explainNetwork(error, target) ?? explainTls(error, target);
}

/** Names where a connection leads, as people write it. */
export function placeOf({ host, port }: ConnectionTarget): string {
  if (host.startsWith("/")) return `${host}/.s.PGSQL.${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** What the server said. Poolers say 08P01 for most. */
function explainRefusal(error: Error, target: ConnectionTarget): string | null {
  const state = sqlStateOf(error);
  if (state === null) return null;
  const { user, database, host, port } = target;
  const place = placeOf(target);
  const said = firstLine(error);
  switch (state) {
    case "3D000":
      return `There is no database "${database}" on ${place}. Create it: createdb -h ${host} -p ${port} -U ${user} ${database} (or correct DATABASE_URL).`;
    case "28P01":
      return `The database at ${place} does not take the password of "${user}" (${said}). Check DATABASE_URL; special characters in it must be percent-encoded.`;
    case "28000": {
      const tls =
        target.tls.ssl === false ? " If it only takes TLS, add sslmode=verify-full to DATABASE_URL." : "";
      return `The database at ${place} does not let "${user}" in: ${said}.${tls}`;
    }
    case "25006":
      return `The database at ${place} takes no writes (${said}). Point DATABASE_URL at the primary.`;
    case "53300":
      return `The database at ${place} has no connection left for "${user}": ${said}. Raise its limit, or lower the DATABASE_POOL_… settings.`;
    case "42501":
      return `"${user}" may not do that in database "${database}" on ${place}: ${said}. Connect as the role that owns the tables.`;
    default:
      return /^(08|53|57P|58)/.test(state)
        ? `The database at ${place} cannot be used: ${said} (SQLSTATE ${state}).`
        : null;
  }
}

function explainNetwork(error: Error, target: ConnectionTarget): string | null {
  const code = causeCode(error);
  const place = placeOf(target);
  if (code === null && target.password === "" && error.message.startsWith("SASL")) {
    return `The database at ${place} asks for a password, and DATABASE_URL has none for "${target.user}".`;
  }
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `There is no host "${target.host}" to be found (${code}). Check DATABASE_URL; a password's special characters must be percent-encoded.`;
    case "ENOENT":
      return target.host.startsWith("/")
        ? `There is no socket ${place}. Is Postgres running? Check host and port in DATABASE_URL.`
        : null;
    case "ECONNREFUSED":
    case "ECONNRESET":
    case "EPIPE":
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EACCES":
      return `The database at ${place} does not answer (${code}). Is it running there? Check host and port in DATABASE_URL.`;
    default:
      return null;
  }
}

function explainTls(error: Error, target: ConnectionTarget): string | null {
  const code = causeCode(error) ?? "";
  const place = placeOf(target);
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    return `The certificate of ${place} is for another name (${firstLine(error)}). Connect by a name that it holds, or set sslmode=verify-ca.`;
  }
  // OpenSSL's names: https://nodejs.org/api/tls.html#x509-certificate-error-codes
  if (/CERT|CRL|ISSUER|SIGNATURE|HOSTNAME/.test(code)) {
    return `The certificate of ${place} is not to be trusted (${code}). Name the authority that made it: sslrootcert=/path/to/ca.crt.`;
  }
  if (error.message === "The server does not support SSL connections") {
    return `The database at ${place} speaks no TLS, which sslmode asks for. Turn TLS on there, or set sslmode=disable.`;
  }
  if (/^ERR_(SSL|TLS)|^EPROTO$/.test(code))
    return `TLS with the database at ${place} fails: ${firstLine(error)} (${code}).`;
  return null;
}

function firstLine(error: Error): string {
  return error.message.split("\n")[0]!.trim().replace(/\.$/, "");
}
