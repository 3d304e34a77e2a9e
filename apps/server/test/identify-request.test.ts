import { createKey } from "@usage-stats/api";
import { type ApiKeyStore, UsageError } from "@usage-stats/core";
import { createApiKeyStore, createViewerSecret } from "@usage-stats/db";
import { createTestDatabase } from "@usage-stats/db/testing";
import { Hono } from "hono";
import { expect, it } from "vitest";
import { createIdentifyRequest } from "../src/auth/identify-request.ts";
import { secretKey } from "../src/auth/session-keys.ts";
import { AUTH_SECRET } from "./test-server.ts";

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

it("asks the database nothing about guesses at keys, but once in a while which keys there are", async () => {
  const database = await createTestDatabase();
  try {
    const clock = { now: () => new Date() };
    const kept = createApiKeyStore(database.orm);
    const asked = { find: 0, list: 0 };
    const keys: ApiKeyStore = {
      ...kept,
      find: (id) => ((asked.find += 1), kept.find(id)),
      list: () => ((asked.list += 1), kept.list()),
    };
    const identify = createIdentifyRequest({
      checks: { keys: secretKey(AUTH_SECRET) },
      sessionCookie: "login_token",
      keys,
      viewerSecret: createViewerSecret(database.orm),
      clock,
      onError: () => {},
    });
    const tooMany = () => {
      throw new UsageError("rate_limited", "Too many.");
    };
    const app = new Hono().get("/", async (context) => context.json(await identify(context, tooMany)));
    app.onError((error, context) => context.text(error.message, 429));
    const ask = (text: string) => app.request("/", { headers: { authorization: `Bearer ${text}` } });
    const actor = { subject: "test", requestId: null };
    const { text } = await createKey({ keys: kept, clock }, actor, { name: "k", scopes: ["calls:write"] });

    const ids = Array.from(
      { length: 100 },
      (_, i) => `aaaaaaaaaa${"abcdefghij"[i % 10]}${"klmnopqrst"[Math.floor(i / 10)]}`,
    );
    const answers = await Promise.all(ids.map(async (id) => ask(`usk_${id}_${text.slice(-43)}`)));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 429));
    expect(asked).toEqual({ find: 0, list: 1 });
    expect((await ask(text)).status).toBe(200);
    expect(asked).toEqual({ find: 1, list: 1 });
  } finally {
    await database.close();
  }
});
