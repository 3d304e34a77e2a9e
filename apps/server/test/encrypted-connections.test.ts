import { hasOpenssl, startTlsPostgres, type TlsPostgres } from "@usage-stats/db/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { serverProcesses } from "./server-process.ts";

describe.skipIf(!hasOpenssl)("a server on a database that takes TLS only (needs openssl)", () => {
  let postgres: TlsPostgres;
  let processes: Awaited<ReturnType<typeof serverProcesses>> | undefined;

  beforeAll(async () => {
    postgres = await startTlsPostgres();
  }, 30_000);
  afterEach(() => processes?.end());
  afterAll(() => postgres.stop());

  it.each([
    ["DATABASE_URL says how", true],
    ["PGSSLMODE and PGSSLROOTCERT say how", false],
  ])(
    "speaks TLS on every one of its connections, where %s",
    async (_what, inUrl) => {
      const tls = `?sslmode=verify-full&sslrootcert=${encodeURIComponent(postgres.files.ca)}`;
      processes = await serverProcesses({
        AUTH_SECRET: "x".repeat(32),
        DATABASE_URL: `${postgres.url}${inUrl ? tls : ""}`,
        ...(!inUrl && { PGSSLMODE: "verify-full", PGSSLROOTCERT: postgres.files.ca }),
      });
      const key = await processes.key(["calls:write"]);
      const token = await processes.token("did:x:tls");
      const server = await processes.serve();
      const now = Math.floor(Date.now() / 1000);
      const call = {
        id: "1",
        userDid: "did:x:tls",
        providerId: "p",
        model: "m",
        type: "chatCompletion",
        status: "success",
      };
      const written = await fetch(`${server.url}/app/api/model-calls`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify([{ ...call, callTime: now }]),
      });
      expect(written.status).toBe(200);
      const read = await fetch(
        `${server.url}/app/api/user/usage-stats?startTime=${now - 3600}&endTime=${now + 60}`,
        { headers: { authorization: `Bearer ${token}` } },
      );
      expect(read.status).toBe(200);
      const connections = await postgres.encryption();
      expect(connections.filter(({ ssl }) => !ssl)).toEqual([]);
      const names = new Set(connections.map(({ name }) => name));
      for (const name of ["reports", "ingest", "identity", "worker", "listener"].map(
        (role) => `usage-stats ${role}`,
      ))
        expect(names).toContain(name);
      await server.stop();
    },
    60_000,
  );
});
