import { userInfo } from "node:os";
import { ConnectionRefusal } from "./connection-refusal.ts";
import { type DatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
import { readSessionOptions, type SessionSettings } from "./session-options.ts";
import { type Tls, TLS_PARAMETERS, tlsOf } from "./tls.ts";

/** Everything that DATABASE_URL says about a connection. */
export type ConnectionTarget = {
  /** A name, an address, or the folder of a socket. */
  host: string;
  port: number;
  user: string;
  password: string;
  database: string;
  tls: Tls;
  /** Instead of "usage-stats" in the names of connections. */
  applicationName: string | undefined;
  connectTimeoutMs: number | undefined;
  keepAliveMs: number | null;
  enableChannelBinding: boolean;
  /** Where a connection must lead: to any server, or one that takes writes. */
  mustWrite: boolean;
  session: SessionSettings;
};

const READ = new Set<string>([
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "application_name",
  "connect_timeout",
  "options",
  "keepalives",
  "keepalives_idle",
  "channel_binding",
  "target_session_attrs",
  "client_encoding",
  "gssencmode",
  ...TLS_PARAMETERS,
]);

const INSTEAD: Record<string, string> = {
  schema: "choose a schema with options=-csearch_path%3Dname",
  search_path: "choose a schema with options=-csearch_path%3Dname",
  currentSchema: "choose a schema with options=-csearch_path%3Dname",
  ssl: "choose encryption with sslmode=verify-full",
  statement_timeout: "this program sets it itself",
};

const KEEP_ALIVE_MS = 10_000;

/** Reads a connection string. Throws `ConnectionRefusal` naming the first thing that cannot be honoured. */
export function connectionTarget(text: string): ConnectionTarget {
  const url = parseDatabaseUrl(text);
  for (const name of url.keys()) {
    if (READ.has(name)) continue;
    const instead = INSTEAD[name] ?? `known are ${[...READ].toSorted().join(", ")}`;
    throw new ConnectionRefusal(
      `DATABASE_URL has the parameter ${name}, which cannot be honoured: ${instead}.`,
    );
  }
  const target = url.get("target_session_attrs");
  refuseUnless(url, "target_session_attrs", ["any", "read-write", "primary"], "this program writes");
  refuseUnless(url, "client_encoding", ["utf8", "UTF8", "auto"], "text is UTF-8");
  refuseUnless(url, "gssencmode", ["disable", "prefer"], "GSSAPI is not supported");
  refuseUnless(
    url,
    "channel_binding",
    ["disable", "prefer"],
    "it is used where the server offers it, not enforced",
  );
  return {
    host: required(url, "host", "name one, or the folder of a socket: ?host=/var/run/postgresql"),
    port: whole(url, "port", 1, 65_535) ?? 5432,
    user: url.get("user") ?? userInfo().username,
    password: url.get("password") ?? "",
    database: required(url, "dbname", "end it with one: postgresql://user:password@host:5432/name"),
    tls: tlsOf(url),
    applicationName: url.get("application_name"),
    // As in libpq, 0 is no limit of its own.
    connectTimeoutMs: (whole(url, "connect_timeout", 0, 86_400) ?? 0) * 1000 || undefined,
    keepAliveMs:
      whole(url, "keepalives", 0, 1) === 0
        ? null
        : (whole(url, "keepalives_idle", 0, 86_400) ?? 0) * 1000 || KEEP_ALIVE_MS,
    enableChannelBinding: url.get("channel_binding") === "prefer",
    mustWrite: target === "read-write" || target === "primary",
    session: readSessionOptions(url.get("options") ?? ""),
  };
}

function required(url: DatabaseUrl, name: "host" | "dbname", what: string): string {
  const value = url.get(name);
  if (value) return value;
  throw new ConnectionRefusal(`DATABASE_URL names no ${name === "dbname" ? "database" : name}: ${what}.`);
}

function whole(url: DatabaseUrl, name: string, min: number, max: number): number | undefined {
  const value = url.get(name);
  if (value === undefined) return undefined;
  if (/^\d{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value);
  throw new ConnectionRefusal(`DATABASE_URL: ${name} must be a whole number of ${min} to ${max}.`);
}

function refuseUnless(url: DatabaseUrl, name: string, allowed: string[], why: string): void {
  const value = url.get(name);
  if (value === undefined || allowed.includes(value)) return;
  throw new ConnectionRefusal(
    `DATABASE_URL: ${name}=${value} cannot be honoured (${why}): use ${allowed.join(", ")}, or leave it out.`,
  );
}
