import { type ApiKey, type ApiKeyStore } from "@usage-stats/core";
import { describe, expect, it } from "vitest";
import { newKeyId, newKeyText, secretGoodUntil, verifyApiKey } from "../src/index.ts";

const NOW = new Date("2026-01-01T00:00:00Z");
const LATER = new Date("2026-01-01T01:00:00Z");

const id = newKeyId();
const current = await newKeyText(id);
const before = await newKeyText(id);

const key: ApiKey = {
  id,
  name: "gateway",
  scopes: ["stats:read:any"],
  userDid: null,
  createdAt: NOW,
  createdBy: "command line",
  expiresAt: null,
  lastUsedAt: null,
  revokedAt: null,
};

const hashes = { current: current.hash, previous: { hash: before.hash, until: LATER } };
const holding = (change: Partial<ApiKey>) =>
  ({ find: async () => ({ key: { ...key, ...change }, hashes }) }) as Pick<
    ApiKeyStore,
    "find"
  > as ApiKeyStore;

describe("an API key", () => {
  it("speaks for nobody but itself, with the scopes that its own bring along", async () => {
    expect((await verifyApiKey(holding({}), current.text, NOW)).identity).toEqual({
      subject: `key ${id}`,
      userDid: null,
      scopes: ["stats:read:any", "stats:read"],
      onlyApps: null,
      keyId: id,
    });
  });

  it("is good with the secret before the last until its grace is over", async () => {
    expect((await verifyApiKey(holding({}), before.text, NOW)).expiresAt).toEqual(LATER);
    await expect(verifyApiKey(holding({}), before.text, LATER)).rejects.toMatchObject({
      code: "invalid_key",
    });
  });

  it.each([{ revokedAt: NOW }, { expiresAt: NOW }])("is refused with %o", async (change) => {
    await expect(verifyApiKey(holding(change), current.text, NOW)).rejects.toMatchObject({
      code: "invalid_key",
    });
  });

  it("is wrong where one letter of its secret's hash is, or all that was given is a part of it", () => {
    const wrong = `${current.hash.slice(0, -1)}${current.hash.endsWith("0") ? "1" : "0"}`;
    expect(secretGoodUntil(current.hash, hashes, NOW)).not.toBeNull();
    for (const hash of [wrong, current.hash.slice(1), "", `${current.hash}0`])
      expect(secretGoodUntil(hash, hashes, NOW)).toBeNull();
  });
});
