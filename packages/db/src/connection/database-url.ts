import { ConnectionRefusal } from "./connection-refusal.ts";

/** What a connection string says, decoded; parameters by their names in libpq. */
export type DatabaseUrl = ReadonlyMap<string, string>;

// libpq's grammar, which WHATWG's URL is not: no host before a `?host=`, `#` in a password.
// https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS
const SHAPE =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?]*)(?::(?<password>[^@/?]*))?@)?(?<hosts>[^@/?]*)(?:\/(?<dbname>[^@/?]*))?(?:\?(?<query>[^?]*))?$/;
const HOST = /^(?<host>\[[\da-f:.%]+\]|[^:[\]]*)(?::(?<port>\d*))?$/i;

/** Takes a connection string apart. Throws `ConnectionRefusal`, which never repeats what may be part of a password. */
export function parseDatabaseUrl(text: string): DatabaseUrl {
  const shape = SHAPE.exec(text)?.groups;
  if (shape === undefined) throw malformed(text);
  const { user, password, hosts = "", dbname, query } = shape;
  if (hosts.includes(",")) throw new ConnectionRefusal("DATABASE_URL names several hosts: name one.");
  const { host, port } = HOST.exec(hosts)?.groups ?? {};
  if (host === undefined) throw malformed(text);
  const found = new Map<string, string>();
  const authority = { user, password, host: host.replace(/^\[(.*)\]$/, "$1"), port, dbname };
  for (const [name, value] of Object.entries(authority)) {
    if (value) found.set(name, decoded(value, name));
  }
  const named = new Set<string>();
  for (const pair of query?.split("&") ?? []) {
    if (pair === "") continue;
    const [, name, value] = /^([^=]*)=([^=]*)$/.exec(pair) ?? [];
    if (name === undefined || value === undefined) {
      throw new ConnectionRefusal(
        "DATABASE_URL: what follows the ? must be parameters name=value, joined by &; write & as %26 and = as %3D.",
      );
    }
    const key = decoded(name, "a parameter's name");
    if (named.has(key)) throw new ConnectionRefusal(`DATABASE_URL gives ${key} twice.`);
    named.add(key);
    found.set(key, decoded(value, key));
  }
  return found;
}

function decoded(value: string, name: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    throw new ConnectionRefusal(`DATABASE_URL: ${name} has a % that encodes nothing; write % itself as %25.`);
  }
}

function malformed(text: string): ConnectionRefusal {
  const advice = text.includes("@")
    ? " A password's special characters must be percent-encoded: @ is %40, / is %2F, ? is %3F, : is %3A."
    : "";
  return new ConnectionRefusal(
    `DATABASE_URL must be a URL such as postgresql://user:password@host:5432/name.${advice}`,
  );
}
