import { createKey } from "@usage-stats/api";
import { type ApiKeyStore } from "@usage-stats/core";
import { createApiKeyStore, createViewerSecret } from "@usage-stats/db";
import { createTestDatabase } from "@usage-stats/db/testing";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { createIdentifyRequest } from "../src/auth/identify-request.ts";
import { secretKey } from "../src/auth/session-keys.ts";
import { AUTH_SECRET, createTestServer } from "./test-server.ts";

it("does not remember a key that was revoked while it was looked up", async () => {
  const database = await createTestDatabase();
  try {
    const clock = { now: () => new Date() };
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
      clock,
      onError: () => {},
    });
    const app = new Hono().get("/", async (context) => context.json(await identify(context)));
    app.onError((error, context) => context.text(error.message, 401));
    const actor = { subject: "test", requestId: null };
    const { key, text } = await createKey({ keys: kept, clock }, actor, {
      name: "k",
      scopes: ["calls:write"],
    });
    const ask = () => app.request("/", { headers: { authorization: `Bearer ${text}` } });

    const slow = ask();
    await found.promise;
    const at = clock.now();
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
