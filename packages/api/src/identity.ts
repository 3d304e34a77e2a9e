import { UsageError } from "@usage-stats/core";

export type Identity = { userDid: string; role: "user" | "admin" };

/** Whose usage a question may read: one's own, or anyone's for an admin. Throws `forbidden`. */
export function scopeOf(identity: Identity, userDid: string | undefined): string {
  if (userDid === undefined || userDid === identity.userDid) return identity.userDid;
  if (identity.role === "admin") return userDid;
  throw new UsageError("forbidden", "You can only read your own usage.", { field: "userDid" });
}

/** Throws `forbidden` for anyone who is not an admin, naming the `field` that needs one. */
export function requireAdmin(identity: Identity, field?: string): void {
  if (identity.role === "admin") return;
  const what = field ?? "This";
  throw new UsageError("forbidden", `${what} needs the admin role.`, field === undefined ? {} : { field });
}
