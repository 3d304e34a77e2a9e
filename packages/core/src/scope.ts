/** What somebody may do. `admin` holds the others, and whoever may read anyone's usage may read their own. */
export const SCOPES = ["calls:write", "stats:read", "stats:read:any", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

/** The scopes that somebody has who was given some. */
export function heldScopes(given: readonly Scope[]): readonly Scope[] {
  if (given.includes("admin")) return SCOPES;
  return given.includes("stats:read:any") ? [...new Set<Scope>([...given, "stats:read"])] : given;
}
