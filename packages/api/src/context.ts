import {
  type Clock,
  type DatabaseCost,
  type Rebuilder,
  type ResultCache,
  type UsageRepository,
  type UsageStatsInput,
} from "@usage-stats/core";
import { type Identity } from "./identity.ts";

/** What a procedure may reach: ports and plain data, never a driver. One for each HTTP request. */
export type ApiContext = {
  repository: UsageRepository;
  /** This request's view of the cache; `null` where there is none. */
  cache: ResultCache | null;
  rebuilder: Rebuilder;
  clock: Clock;
  /** Who asks. Throws `unauthenticated` or `invalid_token`. */
  identify(): Promise<Identity>;
  /** What the answers of this request cost, filled in as they are made. */
  costs: DatabaseCost[];
  /** Told of every question that was not answered by what is kept alone. */
  onQuestion?: OnQuestion | undefined;
  requestId: string;
};

/** `kind` is the way it was answered. */
export type OnQuestion = (kind: AnswerKind, question: UsageStatsInput) => void;
export type AnswerKind = "trpc" | "rest";
