import { type Scope } from "@usage-stats/core";
import { type Identity, requireScope } from "@usage-stats/identity";

/**
 * What anybody may do, and what it takes: every tRPC procedure by its path, and every other route by method and path. Whoever
 * answers one asks here, by its name; nothing is decided by a path's beginning.
 */
export const ACCESS = {
  usageStats: "stats:read",
  "admin.usageStats": "stats:read:any",
  "admin.usageByUser": "stats:read:any",
  "admin.usageByApp": "stats:read:any",
  "admin.usageByModel": "stats:read:any",
  "admin.rebuild": "admin",
  "admin.keys.create": "admin",
  "admin.keys.list": "admin",
  "admin.keys.rotate": "admin",
  "admin.keys.revoke": "admin",
  "viewerTokens.create": "stats:read:any",
  "modelCalls.record": "calls:write",
  "modelCalls.list": "stats:read",
  runUsage: "stats:read",
  conversationUsage: "stats:read",
  "GET /app/api/user/usage-stats": "stats:read",
  "GET /app/api/user/admin/user-stats": "stats:read:any",
  "GET /app/api/admin/usage-by/user": "stats:read:any",
  "GET /app/api/admin/usage-by/app": "stats:read:any",
  "GET /app/api/admin/usage-by/model": "stats:read:any",
  "POST /app/api/admin/rebuild": "admin",
  "POST /app/api/viewer-tokens": "stats:read:any",
  "POST /app/api/model-calls": "calls:write",
  "GET /app/api/user/model-calls": "stats:read",
  "GET /app/api/user/model-calls/export": "stats:read",
  "GET /app/api/user/runs/:runId": "stats:read",
  "GET /app/api/user/conversations/:conversationId": "stats:read",
  "POST /app/api/cloud-events": "calls:write",
  "POST /v1/traces": "calls:write",
  "GET /metrics": "admin",
  "GET /health": "public",
  "GET /ready": "public",
} as const satisfies Record<string, Scope | "public">;

type Operations = typeof ACCESS;

/** What only somebody with the scope may do. */
export type GuardedOperation = {
  [Name in keyof Operations]: Operations[Name] extends Scope ? Name : never;
}[keyof Operations];

/** Throws `forbidden` for anyone without the scope that an operation takes. */
export function authorize(identity: Identity, operation: GuardedOperation): void {
  requireScope(identity, ACCESS[operation]);
}

/** What people and machines have so much of a minute. */
export type Budget = "read" | "write" | "export";

const SPENDING: Partial<Record<GuardedOperation, Budget>> = {
  "admin.rebuild": "write",
  "admin.keys.create": "write",
  "admin.keys.rotate": "write",
  "admin.keys.revoke": "write",
  "viewerTokens.create": "write",
  "modelCalls.record": "write",
  "POST /app/api/model-calls": "write",
  "GET /app/api/user/model-calls/export": "export",
  "POST /app/api/admin/rebuild": "write",
  "POST /app/api/viewer-tokens": "write",
  "POST /app/api/cloud-events": "write",
  "POST /v1/traces": "write",
};

/** Which budget an operation spends. */
export function budgetOf(operation: GuardedOperation): Budget {
  return SPENDING[operation] ?? "read";
}

/** Whether a name is that of an operation which takes a scope. */
export function isGuarded(name: string): name is GuardedOperation {
  return Object.hasOwn(ACCESS, name) && ACCESS[name as keyof Operations] !== "public";
}
