import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createUpstashCache } from "@usage-stats/cache";
import { hasOpenssl } from "@usage-stats/db/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicKeys } from "@usage-stats/identity";

describe.skipIf(!hasOpenssl)("a service whose certificate nobody vouches for (needs openssl)", () => {
  let server: Server;
  let folder: string;
  let url: string;
  let requests = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "usage-stats-certificate-"));
    const [key, cert] = [join(folder, "key"), join(folder, "cert")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    execFileSync("openssl", ["req", "-x509", ...curve, ...subject, "-keyout", key, "-out", cert], {
      stdio: "pipe",
    });
    server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (_request, response) => {
      requests += 1;
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ keys: [], result: null }));
    });
    server.listen(0, "localhost");
    await once(server, "listening");
    url = `https://localhost:${(server.address() as { port: number }).port}`;
  });
  afterAll(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  it("gives no public keys", async () => {
    const { keyOf } = publicKeys(new URL(url), () => {});
    await expect(keyOf({ alg: "RS256", kid: "1" }, { payload: "", signature: "" })).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(requests).toBe(0);
  });

  it("is given no answers to keep", async () => {
    const failures: string[] = [];
    const cache = createUpstashCache({
      url,
      token: "secret",
      deadlineMs: 2_000,
      ttlMs: 60_000,
      clock: { now: () => new Date() },
      onEvent: (event) => failures.push(event.type),
    });
    await cache.invalidateAll();
    await cache.close();
    expect(failures.length).toBeGreaterThan(0);
    expect(requests).toBe(0);
  });
});
