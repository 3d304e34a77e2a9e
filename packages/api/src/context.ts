import { type Clock, type DatabaseCost, type Rebuilder, type UsageRepository } from "@usage-stats/core";
import { type Identity } from "./identity.ts";

/** What a procedure may reach: ports and plain data, never a driver. One for each HTTP request. */
export type ApiContext = {
  repository: UsageRepository;
  rebuilder: Rebuilder;
  clock: Clock;
  /** Who asks. Throws `unauthenticated` or `invalid_token`. */
  identify(): Promise<Identity>;
  /** What the answers of this request cost, filled in as they are made. */
  costs: DatabaseCost[];
  requestId: string;
};
