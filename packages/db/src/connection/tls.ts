import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type ConnectionOptions, createSecureContext, getCACertificates, type SecureVersion } from "node:tls";
import { ConnectionRefusal } from "./connection-refusal.ts";
import { type DatabaseUrl } from "./database-url.ts";

export type Tls = { ssl: false | ConnectionOptions; sslnegotiation: "postgres" | "direct" };

/** The parameters that this reads, with libpq's meanings: https://www.postgresql.org/docs/current/libpq-ssl.html */
export const TLS_PARAMETERS = [
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslnegotiation",
  "ssl_min_protocol_version",
] as const;

const MODES = ["disable", "require", "verify-ca", "verify-full", "no-verify"];
const VERSIONS = ["TLSv1.2", "TLSv1.3"];

/** Says how a connection is encrypted, and how the server proves who it is. Throws `ConnectionRefusal` for what cannot be honoured. */
export function tlsOf(url: DatabaseUrl): Tls {
  const given = TLS_PARAMETERS.filter((name) => url.has(name));
  const mode = url.get("sslmode");
  if (mode === undefined && given.length > 0) {
    throw new ConnectionRefusal(
      `${given.join(", ")} without sslmode would encrypt nothing for sure: add sslmode=verify-full, or sslmode=require.`,
    );
  }
  if (mode === "allow" || mode === "prefer") {
    throw new ConnectionRefusal(
      `sslmode=${mode} would encrypt or not without a word: set sslmode=verify-full, verify-ca, require or disable.`,
    );
  }
  if (mode !== undefined && !MODES.includes(mode)) {
    throw new ConnectionRefusal(`sslmode=${mode} is none of ${MODES.join(", ")}.`);
  }
  // A socket never leaves the machine: libpq ignores sslmode there too.
  if (mode === undefined || mode === "disable" || url.get("host")?.startsWith("/")) {
    return { ssl: false, sslnegotiation: "postgres" };
  }
  const ssl = { ...serverProof(mode, url.get("sslrootcert")), ...clientProof(url), ...leastVersion(url) };
  try {
    createSecureContext(ssl);
  } catch (error) {
    const names = ["sslrootcert", "sslcert", "sslkey", "sslpassword"].filter((name) => url.has(name));
    throw new ConnectionRefusal(`${names.join(", ")} cannot be used: ${reasonOf(error)}.`);
  }
  return { ssl, sslnegotiation: oneOf(url, "sslnegotiation", ["postgres", "direct"]) ?? "postgres" };
}

function serverProof(mode: string, rootCert: string | undefined): ConnectionOptions {
  if (rootCert === "system" && mode !== "verify-full") {
    throw new ConnectionRefusal(
      `sslrootcert=system needs sslmode=verify-full, got sslmode=${mode}: anybody can have a certificate of a public authority.`,
    );
  }
  if (mode === "verify-ca" && rootCert === undefined) {
    throw new ConnectionRefusal(
      "sslmode=verify-ca needs sslrootcert, the file of the authority to be trusted.",
    );
  }
  // As in libpq, `require` with an authority at hand checks it.
  if (mode === "no-verify" || (mode === "require" && rootCert === undefined)) {
    return { rejectUnauthorized: false };
  }
  const anyName = mode === "verify-full" ? {} : { checkServerIdentity: () => undefined };
  return {
    rejectUnauthorized: true,
    ...anyName,
    ...(rootCert !== undefined && { ca: authorities(rootCert) }),
  };
}

function authorities(rootCert: string): string | string[] {
  if (rootCert === "system") return [...getCACertificates("system"), ...getCACertificates("extra")];
  const pem = fileOf("sslrootcert", rootCert);
  if (!isCertificate(pem))
    throw new ConnectionRefusal(`sslrootcert ${rootCert} holds no certificate in PEM.`);
  return pem;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== null;
  } catch {
    return false;
  }
}

function clientProof(url: DatabaseUrl): ConnectionOptions {
  const [cert, key, passphrase] = [url.get("sslcert"), url.get("sslkey"), url.get("sslpassword")];
  if ((cert === undefined) !== (key === undefined)) {
    throw new ConnectionRefusal("sslcert and sslkey belong together: set both, or neither.");
  }
  if (cert === undefined || key === undefined) return {};
  return {
    cert: fileOf("sslcert", cert),
    key: fileOf("sslkey", key),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function leastVersion(url: DatabaseUrl): ConnectionOptions {
  const minVersion = oneOf(url, "ssl_min_protocol_version", VERSIONS) as SecureVersion | undefined;
  return minVersion === undefined ? {} : { minVersion };
}

function oneOf<Value extends string>(
  url: DatabaseUrl,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const value = url.get(name);
  if (value === undefined || values.includes(value as Value)) return value as Value | undefined;
  throw new ConnectionRefusal(`${name}=${value} is none of ${values.join(", ")}.`);
}

function fileOf(name: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new ConnectionRefusal(`${name} ${path} cannot be read (${reasonOf(error)}).`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error ? String(error.code) : error.message;
}
