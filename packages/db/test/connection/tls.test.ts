import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { createEar, listenForChanges, migrate, openDatabase } from "../../src/index.ts";
import { hasOpenssl, startTlsPostgres, testEar, type TlsPostgres } from "../../src/testing/index.ts";

describe.skipIf(!hasOpenssl)("a server that takes TLS only (needs openssl)", () => {
  let postgres: TlsPostgres;

  beforeAll(async () => {
    postgres = await startTlsPostgres();
  });
  afterAll(() => postgres.stop());

  const url = (parameters: Record<string, string>, base = postgres.url) =>
    `${base}?${new URLSearchParams(parameters).toString().replaceAll("+", "%20")}`;
  const refusal = async (text: string) => {
    const opened = await openDatabase({ url: text }).catch((error: unknown) => error);
    expect(opened).toMatchObject({ name: "ConnectionRefusal" });
    return (opened as Error).message;
  };

  it.each([
    ["require", {}],
    ["no-verify", {}],
    ["no-verify", { sslrootcert: "otherCa" }],
    ["require", { sslrootcert: "ca" }],
    ["verify-ca", { sslrootcert: "ca" }],
    ["verify-full", { sslrootcert: "ca" }],
    ["verify-full", { sslrootcert: "ca", ssl_min_protocol_version: "TLSv1.3" }],
    ["verify-full", { sslrootcert: "ca", sslnegotiation: "direct" }],
  ] as const)("is spoken to encrypted by every connection with sslmode=%s %o", async (sslmode, more) => {
    const { sslrootcert, ...rest } = { sslrootcert: undefined, ...more };
    const files = sslrootcert === undefined ? {} : { sslrootcert: postgres.files[sslrootcert] };
    const text = url({ sslmode, ...files, ...rest });
    const orm = await openDatabase({ url: text, poolSize: 2 });
    const listening = Promise.withResolvers<void>();
    const listener = listenForChanges(text, {
      ...testEar({ orm }),
      onChange: () => {},
      onMissed: () => {},
      onHearing: listening.resolve,
      onDeaf: listening.reject,
    });
    try {
      await migrate(orm, new Date());
      await listening.promise;
      const connections = await postgres.encryption();
      expect(connections.map(({ name }) => name)).toEqual(
        expect.arrayContaining(["usage-stats", "usage-stats listener"]),
      );
      expect(connections.filter(({ ssl }) => !ssl)).toEqual([]);
    } finally {
      await listener.close();
      await orm.close();
    }
  });

  it("is not believed where another authority signed for it", async () => {
    for (const sslmode of ["require", "verify-ca", "verify-full"]) {
      const message = await refusal(url({ sslmode, sslrootcert: postgres.files.otherCa }));
      expect(message).toMatch(/^The certificate of 127\.0\.0\.1:\d+ is not to be trusted .*sslrootcert=/);
    }
    expect(await refusal(url({ sslmode: "verify-full" }))).toMatch(/not to be trusted/);
    expect(await refusal(url({ sslmode: "verify-full", sslrootcert: "system" }))).toMatch(
      /not to be trusted/,
    );
  });

  it("is not believed under another name, unless only its authority is asked for", async () => {
    const named = postgres.url.replace("127.0.0.1", "localhost");
    const sslrootcert = postgres.files.ca;
    expect(await refusal(url({ sslmode: "verify-full", sslrootcert }, named))).toMatch(
      /^The certificate of localhost:\d+ is for another name/,
    );
    const orm = await openDatabase({ url: url({ sslmode: "verify-ca", sslrootcert }, named) });
    expect(await orm.em.execute("select 1 as one")).toEqual([{ one: 1 }]);
    await orm.close();
  });

  it("does not let in who speaks no TLS, and they are told what to add", async () => {
    for (const text of [postgres.url, url({ sslmode: "disable" })])
      expect(await refusal(text)).toMatch(/does not let "postgres" in: .*add sslmode=verify-full/);
  });

  it("lets in who has a certificate", async () => {
    const { ca, clientCert, clientKey } = postgres.files;
    const sslcert = { sslcert: clientCert, sslkey: clientKey };
    const text = url({ sslmode: "verify-full", sslrootcert: ca, ...sslcert }, postgres.certifiedUrl);
    const orm = await openDatabase({ url: text });
    expect(await orm.em.execute("select current_user as who")).toEqual([{ who: "certified" }]);
    await orm.close();
    const without = url({ sslmode: "verify-full", sslrootcert: ca }, postgres.certifiedUrl);
    expect(await refusal(without)).toMatch(/does not let "certified" in/);
  });
});

it.each(["require", "no-verify", "verify-full"])(
  "a server without TLS is refused with sslmode=%s, by every connection",
  async (sslmode) => {
    const text = `${inject("postgresUrl")}?sslmode=${sslmode}`;
    await expect(openDatabase({ url: text })).rejects.toThrow(
      /^The database at .* speaks no TLS, which sslmode/,
    );
    const failed = Promise.withResolvers<unknown>();
    const listener = listenForChanges(text, {
      ear: createEar({ boundMs: 3_000, clock: { now: () => new Date() } }),
      announce: async () => {},
      onChange: () => {},
      onMissed: () => {},
      onHearing: () => failed.reject(new Error("it listens in plain text")),
      onDeaf: failed.resolve,
    });
    expect(await failed.promise).toMatchObject({ message: "The server does not support SSL connections" });
    await listener.close();
  },
);
