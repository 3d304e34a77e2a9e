import { type ApiKey } from "@usage-stats/core";

const WIDTHS = [12, 26, 26, 24, 22];

/** The names of what `keyLine` tells. */
export const KEY_HEADER = lineOf(["ID", "STATE", "SCOPES", "USER", "LAST USED", "NAME"]);

/** A key in one line of text: id, state, scopes, whose, when it was used, name. */
export function keyLine(key: ApiKey, now: Date): string {
  return lineOf([
    key.id,
    stateOf(key, now),
    key.scopes.join(","),
    key.userDid ?? "-",
    key.lastUsedAt === null ? "never used" : `used ${minute(key.lastUsedAt)}`,
    key.name,
  ]);
}

function lineOf(cells: string[]): string {
  return cells.map((cell, i) => cell.padEnd(WIDTHS[i] ?? 0)).join("  ");
}

function stateOf({ revokedAt, expiresAt }: ApiKey, now: Date): string {
  if (revokedAt !== null) return `revoked ${minute(revokedAt)}`;
  if (expiresAt === null) return "good";
  return `${expiresAt <= now ? "expired" : "good until"} ${minute(expiresAt)}`;
}

function minute(time: Date): string {
  return `${time.toISOString().slice(0, 16)}Z`;
}
