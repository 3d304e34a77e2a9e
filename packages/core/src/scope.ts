/** What somebody may do. `admin` holds the others. */
export const SCOPES = ["calls:write", "stats:read", "stats:read:any", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** The scopes that somebody has who was given some. */
export function heldScopes(given: readonly Scope[]): readonly Scope[] {
  return given.includes("admin") ? SCOPES : given;
}
