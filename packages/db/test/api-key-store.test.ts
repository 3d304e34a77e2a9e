import { type AdminAction, type ApiKey, type KeyHashes } from "@usage-stats/core";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { createApiKeyStore, createAuditLog, createViewerSecret, listenForChanges } from "../src/index.ts";
import { createTestDatabase, type TestDatabase, testEar } from "../src/testing/index.ts";

const NOW = new Date("2025-06-20T12:00:00Z");
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await database.orm.em.execute("delete from api_keys; delete from admin_actions");
});
afterAll(() => database.close());

const store = () => createApiKeyStore(database.orm);
const key = (change: Partial<ApiKey> = {}): ApiKey => ({
  id: "one",
  name: "a gateway",
  scopes: ["calls:write", "stats:read:any"],
  userDid: null,
  createdAt: NOW,
  createdBy: "user did:abt:z1root",
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
  ...change,
});
const hashes: KeyHashes = { current: "c1", previous: null };
const action = (name: string, change: Partial<AdminAction> = {}): AdminAction => ({
  at: NOW,
  actor: "user did:abt:z1root",
  action: name,
  target: "key one",
  details: { scopes: ["calls:write"] },
  requestId: null,
  ...change,
});

async function actions(): Promise<string[]> {
  const rows = await database.orm.em.execute<{ action: string }[]>(
    "select action from admin_actions order by id",
  );
  return rows.map((row) => row.action);
}

describe("a key", () => {
  it("is found as it was kept, and nothing is found under another id", async () => {
    const kept = key({ userDid: "did:abt:z1alice", expiresAt: new Date("2026-01-01T00:00:00.123Z") });
    await store().insert(kept, hashes, action("created"));
    expect(await store().find("one")).toEqual({ key: kept, hashes });
    expect(await store().find("two")).toBeNull();
    expect(await store().find("")).toBeNull();
  });

  it("is listed, the newest first", async () => {
    await store().insert(key(), hashes, action("created"));
    await store().insert(
      key({ id: "two", createdAt: new Date(NOW.getTime() + 1) }),
      hashes,
      action("created"),
    );
    expect((await store().list()).map(({ id }) => id)).toEqual(["two", "one"]);
  });

  it("has both secrets after a rotation", async () => {
    await store().insert(key(), hashes, action("created"));
    const rotated = { current: "c2", previous: { hash: "c1", until: new Date("2025-06-21T00:00:00Z") } };
    expect(await store().rotate("one", "c1", rotated, action("rotated"))).toEqual(key());
    expect((await store().find("one"))?.hashes).toEqual(rotated);
  });

  it("has one of the secrets that were made for it at once, and the others are refused and not recorded", async () => {
    await store().insert(key(), hashes, action("created"));
    const outcomes = await Promise.allSettled(
      ["c2", "c3", "c4"].map((current) =>
        store().rotate("one", "c1", { current, previous: { hash: "c1", until: NOW } }, action("rotated")),
      ),
    );
    const made = outcomes.flatMap(({ status }, i) => (status === "fulfilled" ? [`c${i + 2}`] : []));
    expect(made).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ code: "conflict" });
    expect((await store().find("one"))?.hashes.current).toBe(made[0]);
    expect(await actions()).toEqual(["created", "rotated"]);
  });

  it("stays revoked since it first was, and is not rotated any more", async () => {
    await store().insert(key(), hashes, action("created"));
    const revoked = key({ revokedAt: NOW });
    expect(await store().revoke("one", action("revoked"))).toEqual(revoked);
    const later = action("revoked", { at: new Date(NOW.getTime() + 1000) });
    expect(await store().revoke("one", later)).toEqual(revoked);
    expect(
      await store().rotate("one", "c1", { current: "c2", previous: null }, action("rotated")),
    ).toBeNull();
    expect((await store().find("one"))?.hashes).toEqual(hashes);
  });

  it("tells what it is checked against, unless it is revoked", async () => {
    const rotated = { current: "c2", previous: { hash: "c1", until: new Date("2025-06-21T00:00:00Z") } };
    await store().insert(key(), rotated, action("created"));
    await store().insert(key({ id: "two" }), hashes, action("created"));
    await store().revoke("two", action("revoked"));
    expect(await store().hashes()).toEqual(new Map([["one", rotated]]));
  });

  it("that is unknown is neither revoked nor rotated, and nothing is recorded", async () => {
    expect(await store().revoke("none", action("revoked"))).toBeNull();
    expect(await store().rotate("none", "c1", hashes, action("rotated"))).toBeNull();
    expect(await actions()).toEqual([]);
  });

  it("notes when it was used", async () => {
    await store().insert(key(), hashes, action("created"));
    await store().touch("one", NOW);
    expect((await store().find("one"))?.key.lastUsedAt).toEqual(NOW);
  });
});

it("records who did what with each change, and makes no change without its record", async () => {
  await store().insert(key(), hashes, action("created"));
  await store().rotate("one", "c1", hashes, action("rotated"));
  await store().revoke("one", action("revoked"));
  await createAuditLog(database.orm).record(action("rebuilt", { requestId: "r1" }));
  expect(await actions()).toEqual(["created", "rotated", "revoked", "rebuilt"]);

  const unkept = action("created", { details: { broken: "\u0000" } });
  await expect(store().insert(key({ id: "two" }), hashes, unkept)).rejects.toThrow(
    "unsupported Unicode escape sequence",
  );
  expect(await store().find("two")).toBeNull();
});

it("announces a key that was changed, but not one that was used", async () => {
  const heard: string[] = [];
  let isListening = false;
  const listener = listenForChanges(database.url, {
    ...testEar(database),
    onChange: (userDid) => heard.push(`user ${userDid}`),
    onKeyChange: (id) => heard.push(id),
    onMissed: () => {},
    onHearing: () => (isListening = true),
    onDeaf: () => {},
  });
  try {
    await vi.waitUntil(() => isListening);
    await store().insert(key(), hashes, action("created"));
    await store().touch("one", NOW);
    await store().revoke("one", action("revoked"));
    await database.orm.em.execute("delete from api_keys");
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(heard).toEqual(["one", "one"]);
  } finally {
    await listener.close();
  }
});

it("has one secret for viewer tokens, whichever server makes it", async () => {
  const servers = Array.from({ length: 5 }, () => createViewerSecret(database.orm));
  const secrets = await Promise.all(servers.map((secret) => secret()));
  expect(new Set(secrets).size).toBe(1);
  expect(secrets[0]!.length).toBeGreaterThan(40);
});
