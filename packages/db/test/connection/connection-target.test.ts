import { writeFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { connectionTarget } from "../../src/index.ts";

const BASE = "postgresql://u:p@host/db";

describe("a connection string", () => {
  it.each([
    ["postgresql://u:p@host:6000/db", { user: "u", password: "p", host: "host", port: 6000, database: "db" }],
    ["postgres://host/db", { user: userInfo().username, password: "", host: "host", port: 5432 }],
    ["postgresql://u:p%40s%2Fs%25@host/my%20db", { password: "p@s/s%", database: "my db" }],
    ["postgresql://u:p#w:x@host/db", { password: "p#w:x" }],
    ["postgresql://u@[::1]:6000/db", { host: "::1", port: 6000 }],
    ["postgresql:///db?host=/var/run/postgresql", { host: "/var/run/postgresql", database: "db" }],
    ["postgresql://u:p@/db?host=/tmp&port=6000", { user: "u", host: "/tmp", port: 6000 }],
    ["postgresql://%2Fvar%2Frun%2Fpostgresql/db", { host: "/var/run/postgresql" }],
    ["postgresql://?host=h&port=1&user=u&password=p%26w&dbname=d", { host: "h", port: 1, password: "p&w" }],
    [`${BASE}?application_name=shop`, { applicationName: "shop" }],
    [`${BASE}?connect_timeout=3`, { connectTimeoutMs: 3_000 }],
    [`${BASE}?connect_timeout=0`, { connectTimeoutMs: undefined }],
    [`${BASE}?keepalives=0`, { keepAliveMs: null }],
    [`${BASE}?keepalives=1&keepalives_idle=30`, { keepAliveMs: 30_000 }],
    [`${BASE}?target_session_attrs=read-write`, { mustWrite: true }],
    [`${BASE}?target_session_attrs=any`, { mustWrite: false }],
    [`${BASE}?channel_binding=prefer`, { enableChannelBinding: true }],
    [`${BASE}?sslmode=disable`, { tls: { ssl: false } }],
    [`${BASE}?sslmode=require`, { tls: { ssl: { rejectUnauthorized: false } } }],
    [`${BASE}?sslmode=verify-full`, { tls: { ssl: { rejectUnauthorized: true } } }],
    ["postgresql:///db?host=/tmp&sslmode=verify-full", { tls: { ssl: false } }],
    [
      `${BASE}?options=-csearch_path%3Da%2Cb%20--work-mem%3D8MB%20-c%20application.name%3Dx%5C%20y`,
      { session: { search_path: "a,b", work_mem: "8MB", "application.name": "x y" } },
    ],
  ])("%s is read as libpq reads it", (url, expected) => {
    expect(connectionTarget(url)).toMatchObject(expected);
  });

  it.each([
    ["mysql://u:p@host/db", /must be a URL such as postgresql:/],
    ["postgresql://u:p@host", /names no database/],
    ["postgresql://u:p@host/", /names no database/],
    ["postgresql:///db", /names no host: .*\/var\/run\/postgresql/],
    ["postgresql://a,b/db", /several hosts/],
    ["postgresql://host:99999/db", /port must be .* 1 to 65535/],
    [`${BASE}?sslmode=prefer`, /sslmode=prefer would encrypt or not/],
    [`${BASE}?sslmode=allow`, /sslmode=allow would encrypt or not/],
    [`${BASE}?sslmode=verify`, /sslmode=verify is none of/],
    [`${BASE}?sslmode=verify-ca`, /verify-ca needs sslrootcert/],
    [`${BASE}?sslmode=require&sslrootcert=system`, /system needs sslmode=verify-full/],
    [`${BASE}?sslrootcert=/ca.crt`, /sslrootcert without sslmode/],
    [
      `${BASE}?sslmode=verify-full&sslrootcert=/no/ca.crt`,
      /sslrootcert \/no\/ca\.crt cannot be read \(ENOENT\)/,
    ],
    [`${BASE}?sslmode=require&sslcert=/x`, /sslcert and sslkey belong together/],
    [`${BASE}?sslmode=require&sslnegotiation=later`, /sslnegotiation=later is none of postgres, direct/],
    [`${BASE}?ssl=true`, /parameter ssl, .*sslmode=verify-full/],
    [`${BASE}?schema=x`, /parameter schema, .*options=-csearch_path%3Dname/],
    [`${BASE}?pgbouncer=true`, /parameter pgbouncer, which cannot be honoured: known are application_name, /],
    [`${BASE}?hostaddr=1.2.3.4`, /parameter hostaddr/],
    [`${BASE}?sslmode=require&sslmode=disable`, /gives sslmode twice/],
    [`${BASE}?target_session_attrs=standby`, /target_session_attrs=standby cannot be honoured/],
    [`${BASE}?channel_binding=require`, /channel_binding=require cannot be honoured/],
    [`${BASE}?client_encoding=LATIN1`, /client_encoding=LATIN1 cannot be honoured/],
    [`${BASE}?connect_timeout=soon`, /connect_timeout must be a whole number/],
    [`${BASE}?options=-E`, /options may hold -c name=value only.*"-E"/],
    [`${BASE}?options=-cdatestyle%3Dgerman`, /must not set datestyle/],
    [`${BASE}?options=--statement-timeout%3D1`, /must not set statement_timeout/],
    [`${BASE}?options`, /parameters name=value/],
  ])("%s is refused by name", (url, message) => {
    expect(() => connectionTarget(url)).toThrow(message);
    expect(() => connectionTarget(url)).toThrow(expect.objectContaining({ name: "ConnectionRefusal" }));
  });

  it.each(["hunter2@x", "hunter2/x", "hunter2?x", "hunter2@a/b?c", "hunter2%x", "12/hunter2", "1?hunter2"])(
    "never repeats an unescaped password (%s), and says how to escape it",
    (password) => {
      const attempt = () => connectionTarget(`postgresql://user:${password}@host:5432/db`);
      expect(attempt).toThrow(/percent-encoded|%25|%26/);
      expect(attempt).not.toThrow(/hunter2/);
    },
  );

  it("names the file in which there is no certificate or no key", async () => {
    const folder = await mkdtemp(join(tmpdir(), "usage-stats-tls-"));
    const empty = join(folder, "empty.pem");
    writeFileSync(empty, "nothing");
    expect(() => connectionTarget(`${BASE}?sslmode=verify-full&sslrootcert=${empty}`)).toThrow(
      `sslrootcert ${empty} holds no certificate`,
    );
    expect(() => connectionTarget(`${BASE}?sslmode=require&sslcert=${empty}&sslkey=${empty}`)).toThrow(
      /^sslcert, sslkey cannot be used: /,
    );
  });
});
