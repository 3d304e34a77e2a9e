import { authorize, type GuardedOperation, isGuarded } from "@usage-stats/api";
import { type Awaitable, whenThere } from "@usage-stats/core";
import { type Identity } from "@usage-stats/identity";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type RateLimits } from "../limits/rate-limits.ts";
import { clientAddress } from "./client-address.ts";
import { type BegunRequest } from "./http-request.ts";

/**
 * Who asks for an operation, once it is known that they may. Every handler begins with it. A request that holds several
 * operations says which: it is identified and counted once, and each of them authorised. At once where nothing has to be
 * waited for. Throws `unauthenticated`, `invalid_token`, `invalid_key`, `csrf`, `forbidden` or `rate_limited`.
 */
export type Admit = (
  request: BegunRequest,
  operation: GuardedOperation,
  all?: readonly string[],
) => Awaitable<Identity>;

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
export type CountRequest = (request: BegunRequest, who: "known" | "stranger") => Promise<void>;

export function createCountRequest({ limits, trustedProxies, warn }: CountRequestSettings): CountRequest {
  let isWarned = false;
  return async (request, who) => {
    if (limits === null || request.isCounted) return;
    request.isCounted = true;
    if (trustedProxies === 0 && !isWarned && request.arrival.req.raw.headers.has("x-forwarded-for")) {
      isWarned = true;
      warn(FORWARDED);
    }
    await limits.countRequest(clientAddress(request.arrival, trustedProxies), who);
  };
}

const FORWARDED =
  "limits: requests come with X-Forwarded-For, which is not believed because TRUSTED_PROXIES is 0: all that come through a proxy share one address and its limits. Where a proxy of yours stands in front, set TRUSTED_PROXIES to how many there are.";

export function createAdmit({ identify, limits, trustedProxies, countRequest }: AdmitSettings): Admit {
  /** Verified first, and charged after: what is bad takes nothing from what is good. */
  async function enter(
    request: BegunRequest,
    operations: GuardedOperation[],
    within: RateLimits,
  ): Promise<Identity> {
    const { arrival, now } = request;
    const attempt = within.attempt(clientAddress(arrival, trustedProxies), (mayGuess) =>
      identify(arrival, now, mayGuess),
    );
    const identity = await attempt.catch(async (error: unknown) => {
      await countRequest(request, "stranger");
      throw error;
    });
    await countRequest(request, "known");
    request.budget = await within.spend(identity, operations);
    return identity;
  }

  return (request, operation, all = [operation]) => {
    request.operation = operation;
    if (request.entering === undefined) {
      const operations = all.filter(isGuarded);
      request.entering =
        limits === null
          ? identify(request.arrival, request.now)
          : enter(request, operations.length === 0 ? [operation] : operations, limits);
    }
    return whenThere(request.entering, (identity) => {
      authorize(identity, operation);
      return identity;
    });
  };
}
