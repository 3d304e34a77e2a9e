import { type Scope, SCOPES, UsageStatsError, type UsageFilter } from "@usage-stats/core";

export type Identity = {
  /** Who it is, for limits and for the record of what admins do: such as `user did:abt:z1…` or `key k1…`. */
  subject: string;
  /** Whose usage it may read without saying so; `null` for a machine that speaks for no user. */
  userDid: string | null;
  scopes: readonly Scope[];
  /** The only apps whose calls it may read; `null` for all. */
  onlyApps: readonly string[] | null;
  /** The only API keys of its user, and the only values of some tags, whose calls it may read; absent for all. */
  onlyKeys?: readonly string[];
  onlyTags?: Readonly<Record<string, readonly string[]>>;
  /** The API key that it lives by: it is nobody once that is revoked. */
  keyId: string | null;
};

/** The roles that a session can have. */
export type Role = "user" | "admin";

export const SCOPES_OF_ROLE: Record<Role, readonly Scope[]> = {
  user: ["stats:read"],
  admin: SCOPES,
};

/** Whose usage a query may read: one's own, or anyone's with `stats:read:any`. Throws `forbidden`. */
export function resolveUser(identity: Identity, userDid: string | undefined): string {
  const asked = userDid ?? identity.userDid;
  if (asked === null)
    throw new UsageStatsError("invalid_option", "This key belongs to no user: say whose usage, in userDid.", {
      field: "userDid",
    });
  if (asked === identity.userDid || identity.scopes.includes("stats:read:any")) return asked;
  throw new UsageStatsError("forbidden", "You can only read your own usage.", { field: "userDid" });
}

/** A filter that leaves out what its asker may not read. Throws `forbidden` for one that names such an app, key or tag. */
export function allowFilter({ onlyApps, onlyKeys, onlyTags }: Identity, filter: UsageFilter): UsageFilter {
  const allowed = { ...filter };
  if (onlyApps !== null) allowed.appDids = allowList(onlyApps, filter.appDids, "appDids", "apps");
  if (onlyKeys !== undefined) allowed.keyIds = allowList(onlyKeys, filter.keyIds, "keyIds", "keys");
  if (onlyTags !== undefined)
    allowed.tags = {
      ...filter.tags,
      ...Object.fromEntries(
        Object.entries(onlyTags).map(([name, values]) => [
          name,
          allowList(values, filter.tags?.[name], `tags.${name}`, "tags"),
        ]),
      ),
    };
  return allowed;
}

function allowList(
  only: readonly string[],
  asked: readonly string[] | undefined,
  field: string,
  what: string,
): string[] {
  if (asked === undefined) return [...only];
  if (asked.every((value) => only.includes(value))) return [...asked];
  throw new UsageStatsError("forbidden", `You can only read the usage of some ${what}.`, {
    field: `filter.${field}`,
  });
}

/** Throws `forbidden` for anyone without a scope, naming it, and the `field` that needs it. */
export function requireScope(identity: Identity, scope: Scope, field?: string): void {
  if (identity.scopes.includes(scope)) return;
  const details = { limit: scope, ...(field !== undefined && { field }) };
  throw new UsageStatsError("forbidden", `${field ?? "This"} needs the ${scope} scope.`, details);
}
