import { type ApiKey } from "@usage-stats/core";

/** A key in one line of text: id, state, scopes, whose, when it was used, name. */
export function keyLine(key: ApiKey, now: Date): string {
  return [
    key.id,
    stateOf(key, now).padEnd(26),
    key.scopes.join(",").padEnd(26),
    (key.userDid ?? "-").padEnd(24),
    key.lastUsedAt === null ? "never used".padEnd(22) : `used ${minute(key.lastUsedAt)}`.padEnd(22),
    key.name,
  ].join("  ");
}

function stateOf({ revokedAt, expiresAt }: ApiKey, now: Date): string {
  if (revokedAt !== null) return `revoked ${minute(revokedAt)}`;
  if (expiresAt === null) return "good";
  return `${expiresAt <= now ? "expired" : "good until"} ${minute(expiresAt)}`;
}

function minute(time: Date): string {
  return `${time.toISOString().slice(0, 16)}Z`;
}
