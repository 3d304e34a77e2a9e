import { authorize, type GuardedOperation, isGuarded } from "@usage-stats/api";
import { type Identity } from "@usage-stats/identity";
import { type Context } from "hono";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type RateLimits } from "../limits/rate-limits.ts";
import { clientAddress } from "./client-address.ts";
import { type AppEnv } from "./http-request.ts";

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
  countRequest: CountRequest;
};

export type CountRequestSettings = {
  /** `null` for no limits. */
  limits: RateLimits | null;
  trustedProxies: number;
  /** Tells the operator what is probably set wrong. */
  warn(text: string): void;
};

/** Counts a request with its address, once: among those of whom it is known who they are, or among strangers. Throws `rate_limited`. */
export type CountRequest = (context: Context<AppEnv>, who: "known" | "stranger") => Promise<void>;

export function createCountRequest({ limits, trustedProxies, warn }: CountRequestSettings): CountRequest {
  let isWarned = false;
  return async (context, who) => {
    const request = context.get("request");
    if (limits === null || request.isCounted) return;
    request.isCounted = true;
    if (trustedProxies === 0 && !isWarned && context.req.header("x-forwarded-for") !== undefined) {
      isWarned = true;
      warn(FORWARDED);
    }
    await limits.countRequest(clientAddress(context, trustedProxies), who);
  };
}

const FORWARDED =
  "limits: requests come with X-Forwarded-For, which is not believed because TRUSTED_PROXIES is 0: all that come through a proxy share one address and its limits. Where a proxy of yours stands in front, set TRUSTED_PROXIES to how many there are.";

export function createAdmit({ identify, limits, trustedProxies, countRequest }: AdmitSettings): Admit {
  /** Verified first, and charged after: what is bad takes nothing from what is good. */
  async function enter(context: Context<AppEnv>, operations: GuardedOperation[]): Promise<Identity> {
    const request = context.get("request");
    if (limits === null) return identify(context, request.now);
    const address = clientAddress(context, trustedProxies);
    const attempt = limits.attempt(address, (mayGuess) => identify(context, request.now, mayGuess));
    const identity = await attempt.catch(async (error: unknown) => {
      await countRequest(context, "stranger");
      throw error;
    });
    await countRequest(context, "known");
    request.budget = await limits.spend(identity, operations);
    return identity;
  }

  return async (context, operation, all = [operation]) => {
    const request = context.get("request");
    request.operation = operation;
    if (request.entering === undefined) {
      const operations = all.filter(isGuarded);
      request.entering = enter(context, operations.length === 0 ? [operation] : operations);
    }
    const identity = await request.entering;
    authorize(identity, operation);
    return identity;
  };
}
