import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startTestPostgres } from "@usage-stats/dev-services/postgres";
import { createClient, type DatabaseClient } from "../connection/database-client.ts";

/** A server that takes TLS only; its certificate is for the address 127.0.0.1, not for any name. */
export type TlsPostgres = {
  /** Without any parameter, and so without TLS. */
  url: string;
  /** The same for another role, which is let in by its certificate alone. */
  certifiedUrl: string;
  /** Files in PEM: the authority that signed the server's certificate, one that did not, and what `certifiedUrl` needs. */
  files: { ca: string; otherCa: string; clientCert: string; clientKey: string };
  /** How the connections of a name are encrypted, by name. */
  encryption(): Promise<{ name: string; ssl: boolean }[]>;
  stop(): Promise<void>;
};

/** Whether this machine can make certificates. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** Starts one of its own. */
export async function startTlsPostgres(): Promise<TlsPostgres> {
  const server = await startTestPostgres();
  const admin = createClient({ url: server.url, applicationName: "admin" });
  await admin.connect();
  const { rows } = await admin.query<{ folder: string }>(
    "select current_setting('data_directory') as folder",
  );
  const { folder } = rows[0]!;
  const at = (name: string) => join(folder, name);
  makeCertificates(at);
  const { uid, gid } = statSync(folder);
  for (const name of ["server.key", "server.crt", "ca.crt"]) {
    chmodSync(at(name), 0o600);
    chownSync(at(name), uid, gid);
  }
  const settings = {
    ssl: "on",
    ssl_cert_file: "server.crt",
    ssl_key_file: "server.key",
    ssl_ca_file: "ca.crt",
  };
  for (const [name, value] of Object.entries(settings))
    await admin.query(`alter system set ${name} = '${value}'`);
  await admin.query("create role certified superuser login");
  writeFileSync(at("pg_hba.conf"), "hostssl all certified all cert\nhostssl all all all scram-sha-256\n");
  await admin.query("select pg_reload_conf()");
  await admin.end();

  const watcher = await connectWhenReady(`${server.url}?sslmode=no-verify`);
  const certified = new URL(server.url);
  certified.username = "certified";
  certified.password = "";
  return {
    url: server.url,
    certifiedUrl: certified.href,
    files: {
      ca: at("ca.crt"),
      otherCa: at("other.crt"),
      clientCert: at("client.crt"),
      clientKey: at("client.key"),
    },
    async encryption() {
      const found = await watcher.query<{ name: string; ssl: boolean }>(
        `select application_name as name, ssl from pg_stat_ssl join pg_stat_activity using (pid)
          where backend_type = 'client backend' and application_name <> 'watcher' order by 1`,
      );
      return found.rows;
    },
    async stop() {
      await watcher.end();
      await server.stop();
    },
  };
}

/** The server reads its files anew when it gets to it. */
async function connectWhenReady(url: string): Promise<DatabaseClient> {
  const until = performance.now() + 10_000;
  for (;;) {
    const client = createClient({ url, applicationName: "watcher" });
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end();
      if (performance.now() > until) throw error;
      await sleep(50);
    }
  }
}

function makeCertificates(at: (name: string) => string): void {
  const openssl = (...args: string[]) => execFileSync("openssl", args, { stdio: "pipe" });
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  for (const [name, subject] of [
    ["ca", "/CN=usage-stats test authority"],
    ["other", "/CN=another authority"],
  ] as const) {
    openssl(
      "req",
      "-x509",
      ...key,
      "-days",
      "30",
      "-subj",
      subject,
      "-keyout",
      at(`${name}.key`),
      "-out",
      at(`${name}.crt`),
    );
  }
  for (const [name, subject] of [
    ["server", "/CN=server"],
    ["client", "/CN=certified"],
  ] as const) {
    writeFileSync(
      at(`${name}.ext`),
      name === "server" ? "subjectAltName=IP:127.0.0.1" : "extendedKeyUsage=clientAuth",
    );
    openssl("req", ...key, "-subj", subject, "-keyout", at(`${name}.key`), "-out", at(`${name}.csr`));
    const signing = ["-CA", at("ca.crt"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "30"];
    openssl(
      "x509",
      "-req",
      "-in",
      at(`${name}.csr`),
      ...signing,
      "-extfile",
      at(`${name}.ext`),
      "-out",
      at(`${name}.crt`),
    );
  }
}
