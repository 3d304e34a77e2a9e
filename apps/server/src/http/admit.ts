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
  arrive: Arrive;
};

export type ArriveSettings = {
  /** `null` for no limits. */
  limits: RateLimits | null;
  trustedProxies: number;
  /** Tells the operator what is probably set wrong. */
  warn(text: string): void;
};

/** Counts a request with its address, once: among those of whom it is known who they are, or among strangers. Throws `rate_limited`. */
export type Arrive = (context: Context<AppEnv>, who: "known" | "stranger") => Promise<void>;

export function createArrive({ limits, trustedProxies, warn }: ArriveSettings): Arrive {
  let isWarned = false;
  return async (context, who) => {
    if (limits === null || context.get("isCounted")) return;
    context.set("isCounted", true);
    if (trustedProxies === 0 && !isWarned && context.req.header("x-forwarded-for") !== undefined) {
      isWarned = true;
      warn(FORWARDED);
    }
    await limits.arrive(clientAddress(context, trustedProxies), who);
  };
}

const FORWARDED =
  "limits: requests come with X-Forwarded-For, which is not believed because TRUSTED_PROXIES is 0: all that come through a proxy share one address and its limits. Where a proxy of yours stands in front, set TRUSTED_PROXIES to how many there are.";

export function createAdmit({ identify, limits, trustedProxies, arrive }: AdmitSettings): Admit {
  /** Verified first, and charged after: what is bad takes nothing from what is good. */
  async function enter(context: Context<AppEnv>, operations: GuardedOperation[]): Promise<Identity> {
    if (limits === null) return identify(context);
    const address = clientAddress(context, trustedProxies);
    const attempt = limits.attempt(address, (mayGuess) => identify(context, mayGuess));
    const identity = await attempt.catch(async (error: unknown) => {
      await arrive(context, "stranger");
      throw error;
    });
    await arrive(context, "known");
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
