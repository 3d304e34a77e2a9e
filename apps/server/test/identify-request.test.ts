import { createKey, rotateKey } from "@usage-stats/api";
import { type ApiKeyStore, type UsageStatsError } from "@usage-stats/core";
import { createApiKeyStore, createViewerSecret } from "@usage-stats/db";
import { createTestDatabase, type TestDatabase } from "@usage-stats/db/testing";
import { Hono } from "hono";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createIdentifyRequest } from "../src/auth/identify-request.ts";
import { secretKey } from "@usage-stats/identity";
import { createSignViewerToken } from "@usage-stats/identity";
import { createInProcessLimiter } from "../src/limits/in-process-limiter.ts";
import { createRateLimits } from "../src/limits/rate-limits.ts";
import { AUTH_SECRET, createTestServer } from "./test-server.ts";

it("does not remember a key that was revoked while it was looked up", async () => {
  const database = await createTestDatabase();
  try {
    const kept = createApiKeyStore(database.orm);
    const found = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const keys: ApiKeyStore = {
      ...kept,
      async find(id) {
        const key = await kept.find(id);
        found.resolve();
        await goOn.promise;
        return key;
      },
    };
    const identify = createIdentifyRequest({
      checks: { keys: secretKey(AUTH_SECRET) },
      sessionCookie: "login_token",
      keys,
      viewerSecret: createViewerSecret(database.orm),
      hears: () => true,
      onError: () => {},
    });
    const app = new Hono().get("/", async (context) => context.json(await identify(context, new Date())));
    app.onError((error, context) => context.text(error.message, 401));
    const actor = { subject: "test", requestId: null };
    const { key, text } = await createKey(
      { ports: { keys: kept }, now: new Date(), actor },
      {
        name: "k",
        scopes: ["calls:write"],
      },
    );
    const ask = () => app.request("/", { headers: { authorization: `Bearer ${text}` } });

    const slow = ask();
    await found.promise;
    const at = new Date();
    await kept.revoke(key.id, { at, actor: "", action: "", target: "", details: {}, requestId: null });
    identify.forgetKey(key.id);
    goOn.resolve();
    // It was still good when it was looked up.
    expect((await slow).status).toBe(200);
    expect((await ask()).status).toBe(401);
  } finally {
    await database.close();
  }
});

describe("guesses at keys", () => {
  const actor = { subject: "test", requestId: null };
  let database: TestDatabase;
  let asked: { find: number; hashes: number };
  let kept: ApiKeyStore;

  beforeEach(async () => {
    database = await createTestDatabase();
    kept = createApiKeyStore(database.orm);
    asked = { find: 0, hashes: 0 };
  });
  afterEach(() => database.close());

  /** Asks through the limits of an address; gives the status that it would be answered with. */
  function asking() {
    const keys: ApiKeyStore = {
      ...kept,
      find: (id) => ((asked.find += 1), kept.find(id)),
      hashes: () => ((asked.hashes += 1), kept.hashes()),
    };
    const viewerSecret = createViewerSecret(database.orm);
    const identify = createIdentifyRequest({
      checks: { keys: secretKey(AUTH_SECRET) },
      sessionCookie: "login_token",
      keys,
      viewerSecret,
      hears: () => true,
      onError: () => {},
    });
    const limiter = createInProcessLimiter();
    const limits = createRateLimits(
      { budgets: { read: 1, write: 1, export: 1 }, address: 10_000, failures: 10 },
      { shared: limiter, local: limiter, monotonic: () => performance.now() },
    );
    const app = new Hono().get("/", async (context) => {
      await limits.attempt("address", (mayGuess) => identify(context, new Date(), mayGuess));
      return context.text("");
    });
    app.onError((error, context) => {
      const { code } = error as UsageStatsError;
      return context.text(error.message, code === "rate_limited" ? 429 : 401);
    });
    const ask = async (text: string) =>
      (await app.request("/", { headers: { authorization: `Bearer ${text}` } })).status;
    return { ask, identify, sign: createSignViewerToken(viewerSecret) };
  }

  const newKey = () =>
    createKey({ ports: { keys: kept }, now: new Date(), actor }, { name: "k", scopes: ["stats:read:any"] });
  const revoke = (id: string) =>
    kept.revoke(id, { at: new Date(), actor: "", action: "", target: "", details: {}, requestId: null });
  const guessesAt = (id: string) =>
    Array.from({ length: 200 }, (_, i) => `usk_${id}_${String(i).padStart(43, "x")}`);
  const idOf = (i: number) =>
    String(i)
      .padStart(12, "0")
      .replace(/\d/g, (digit) => "abcdefghij"[Number(digit)]!);
  const guesses = (): string[] =>
    Array.from({ length: 200 }, (_, i) => `usk_${idOf(i)}_${String(i).padStart(43, "x")}`);

  it.each([
    ["at ids that are none", guesses],
    ["at the secret of an id that is known", () => null],
  ])(
    "%s cost the database next to nothing, one after the other or at once, and the key is good",
    async (_, make) => {
      const { key, text } = await newKey();
      const bad = make() ?? guessesAt(key.id);
      const { ask } = asking();
      const first = [];
      for (const guess of bad.slice(0, 20)) first.push(await ask(guess));
      expect(first).toEqual([...Array<number>(10).fill(401), ...Array<number>(10).fill(429)]);
      expect(asked).toEqual({ find: 10, hashes: 1 });
      expect(await Promise.all(bad.map(ask))).toEqual(bad.map(() => 429));
      expect(asked).toEqual({ find: 10, hashes: 1 });
      expect(await ask(text)).toBe(200);
      expect(asked).toEqual({ find: 11, hashes: 1 });

      asked = { find: 0, hashes: 0 };
      const atOnce = asking();
      const statuses = await Promise.all([...bad, text].map(atOnce.ask));
      expect(statuses.pop()).toBe(200);
      expect(new Set(statuses)).toEqual(new Set([401, 429]));
      expect(asked.find).toBeLessThanOrEqual(21);
      expect(asked.hashes).toBe(1);
    },
  );

  it("are none where a key was rotated meanwhile, as soon as that is told", async () => {
    const { key } = await newKey();
    const { ask, identify } = asking();
    for (const guess of guessesAt(key.id).slice(0, 20)) await ask(guess);
    const rotated = await rotateKey(
      { ports: { keys: kept }, now: new Date(), actor },
      { id: key.id, graceSeconds: 0 },
    );
    identify.forgetKey(key.id);
    expect(await ask(rotated.text)).toBe(200);
  });

  it("are viewer tokens of a key that was revoked, too; those of one that was not are good", async () => {
    const [gone, good] = [await newKey(), await newKey()];
    await revoke(gone.key.id);
    const { ask, sign } = asking();
    const issuedAt = new Date();
    const expiresAt = new Date(issuedAt.getTime() + 60_000);
    const tokenOf = (keyId: string, userDid: string) =>
      sign({ userDid, onlyApps: null, keyId, issuedAt, expiresAt });
    for (let i = 0; i < 10; i++) expect(await ask(await tokenOf(gone.key.id, `u${i}`))).toBe(401);
    expect(asked).toEqual({ find: 10, hashes: 0 });
    for (let i = 0; i < 10; i++) expect(await ask(await tokenOf(gone.key.id, `v${i}`))).toBe(429);
    expect(asked).toEqual({ find: 10, hashes: 1 });
    expect(await ask(await tokenOf(good.key.id, "u"))).toBe(200);
  });
});

it("checks each time what lives by a key while it does not hear of keys that others change", async () => {
  let isHearing = true;
  const server = await createTestServer({ hears: () => isHearing });
  try {
    const { key, text } = await server.client({ user: "did:abt:z1root", role: "admin" }).admin.keys.create({
      name: "elsewhere",
      scopes: ["stats:read:any"],
    });
    const { token } = await server
      .clientWith(text)
      .viewerTokens.create({ userDid: "did:abt:z1alice", expiresInSeconds: 600 });
    const range = { from: new Date(Date.now() - 3_600_000), to: new Date() };
    const ask = async (bearer: string) =>
      server
        .clientWith(bearer)
        .usageStats({ ...range, ...(bearer === text && { userDid: "did:abt:z1alice" }) });
    for (const bearer of [text, token]) await ask(bearer);
    isHearing = false;
    // As another server does, of which this one does not hear.
    await server.database.orm.em.execute("update api_keys set revoked_at = now() where id = ?", [key.id]);
    for (const bearer of [text, token]) await expect(ask(bearer)).rejects.toThrow(/not valid/);
  } finally {
    await server.close();
  }
});
