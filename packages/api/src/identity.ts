import { UsageError } from "@usage-stats/core";

export type Identity = { userDid: string; role: "user" | "admin" };

/** Whose usage a question may read: one's own, or anyone's for an admin. Throws `forbidden`. */
export function scopeOf(identity: Identity, userDid: string | undefined): string {
  if (userDid === undefined || userDid === identity.userDid) return identity.userDid;
  if (identity.role === "admin") return userDid;
  throw new UsageError("forbidden", "You can only read your own usage.", { field: "userDid" });
}

/** Throws `forbidden` for anyone who is not an admin. */
export function requireAdmin(identity: Identity): void {
  if (identity.role !== "admin") throw new UsageError("forbidden", "This needs the admin role.");
}
