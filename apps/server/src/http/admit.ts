import { authorize, type GuardedOperation, type Identity, isGuarded } from "@usage-stats/api";
import { UsageError } from "@usage-stats/core";
import { type Context } from "hono";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type RateLimits } from "../limits/rate-limits.ts";
import { clientAddress } from "./client-address.ts";
import { type AppEnv } from "./request-variables.ts";

/**
 * Who asks for an operation, once it is known that they may. Every handler begins with it. A request that holds several
 * operations says which: it is identified and counted once, and each of them authorised. Throws `unauthenticated`,
 * `invalid_token`, `invalid_key`, `csrf`, `forbidden` or `rate_limited`.
 */
export type Admit = (
  context: Context<AppEnv>,
  operation: GuardedOperation,
  all?: readonly string[],
) => Promise<Identity>;

export type AdmitSettings = {
  identify: IdentifyRequest;
  /** `null` for no limits. */
  limits: RateLimits | null;
  trustedProxies: number;
};

export function createAdmit({ identify, limits, trustedProxies }: AdmitSettings): Admit {
  async function enter(context: Context<AppEnv>, operations: GuardedOperation[]): Promise<Identity> {
    if (limits === null) return identify(context);
    const address = clientAddress(context, trustedProxies);
    await limits.arrive(address);
    const identity = await identify(context, () => limits.mayTry(address)).catch(async (error: unknown) => {
      if (isBadCredential(error)) await limits.failed(address);
      throw error;
    });
    context.set("budget", await limits.spend(identity, operations));
    return identity;
  }

  return async (context, operation, all = [operation]) => {
    context.set("operation", operation);
    let entered = context.get("identity");
    if (entered === undefined) {
      const operations = all.filter(isGuarded);
      entered = enter(context, operations.length === 0 ? [operation] : operations);
      context.set("identity", entered);
    }
    try {
      const identity = await entered;
      authorize(identity, operation);
      return identity;
    } catch (error) {
      if (error instanceof UsageError) context.set("retryAfterSeconds", error.retryAfterSeconds);
      throw error;
    }
  };
}

function isBadCredential(error: unknown): boolean {
  return error instanceof UsageError && (error.code === "invalid_token" || error.code === "invalid_key");
}
