import {
  type ApiKeyStore,
  type AuditLog,
  type CallReader,
  type CallRecorder,
  type Clock,
  type DatabaseCost,
  type RankingRepository,
  type Rebuilder,
  type ResultCache,
  type UsageRepository,
  type UsageStatsInput,
} from "@usage-stats/core";
import { type GuardedOperation } from "./access.ts";
import { type RecordLimits } from "./calls/record-calls.ts";
import { type Identity } from "./identity.ts";
import { type RequestSize } from "./request-size.ts";

/** What a procedure may reach: ports and plain data, never a driver. One for each HTTP request. */
export type ApiContext = {
  repository: UsageRepository;
  ranking: RankingRepository;
  /** This request's view of the cache; `null` where there is none. */
  cache: ResultCache | null;
  rebuilder: Rebuilder;
  callReader: CallReader;
  recorder: CallRecorder;
  recordLimits: RecordLimits;
  keys: ApiKeyStore;
  audit: AuditLog;
  signViewerToken: SignViewerToken;
  clock: Clock;
  /**
   * Who asks, once it is known that they may. Throws `unauthenticated`, `invalid_token`, `invalid_key`, `csrf`, `forbidden` or
   * `rate_limited`.
   */
  admit(operation: GuardedOperation): Promise<Identity>;
  /** Aborts when nobody waits for the answer any more. A function, because making a signal costs more than a kept answer. */
  signal?: (() => AbortSignal) | undefined;
  /** How large the answers of this request may become together. */
  size?: RequestSize | undefined;
  /** What the answers of this request cost, filled in as they are made. */
  costs: DatabaseCost[];
  /** Told of every question that was not answered by what is kept alone. */
  onQuestion?: OnQuestion | undefined;
  requestId: string;
};

/** `kind` is the way it was answered. */
export type OnQuestion = (kind: AnswerKind, question: UsageStatsInput) => void;
export type AnswerKind = "trpc" | "rest";

/** A token that can do nothing but read one user's usage, until it expires. */
export type ViewerToken = { token: string; expiresAt: Date };

export type SignViewerToken = (claims: {
  userDid: string;
  /** The only apps whose calls it may read; `null` for all. */
  onlyApps: readonly string[] | null;
  /** The API key that it was asked for with, without which it is worthless. */
  keyId: string | null;
  issuedAt: Date;
  expiresAt: Date;
}) => Promise<string>;
