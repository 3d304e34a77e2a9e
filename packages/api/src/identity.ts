import { UsageError } from "@usage-stats/core";

/** What somebody may do. `admin` holds the others. */
export type Scope = "stats:read" | "stats:read:any" | "admin";

export type Identity = { userDid: string; scopes: readonly Scope[] };

/** The roles that a session can have. */
export type Role = "user" | "admin";

export const SCOPES_OF_ROLE: Record<Role, readonly Scope[]> = {
  user: ["stats:read"],
  admin: ["stats:read", "stats:read:any", "admin"],
};

/** Whose usage a question may read: one's own, or anyone's with `stats:read:any`. Throws `forbidden`. */
export function scopeOf(identity: Identity, userDid: string | undefined): string {
  if (userDid === undefined || userDid === identity.userDid) return identity.userDid;
  if (identity.scopes.includes("stats:read:any")) return userDid;
  throw new UsageError("forbidden", "You can only read your own usage.", { field: "userDid" });
}

/** Throws `forbidden` for anyone without a scope, naming it, and the `field` that needs it. */
export function requireScope(identity: Identity, scope: Scope, field?: string): void {
  if (identity.scopes.includes(scope)) return;
  const details = { limit: scope, ...(field !== undefined && { field }) };
  throw new UsageError("forbidden", `${field ?? "This"} needs the ${scope} scope.`, details);
}
