import {
  type ApiKeyStore,
  type AuditLog,
  type CallReader,
  type CallWriter,
  type DatabaseCost,
  type RankingRepository,
  type Rebuilder,
  type ResultCache,
  type RunReader,
  type UsageRepository,
  type UsageStatsQuery,
} from "@usage-stats/core";
import { type GuardedOperation } from "./access.ts";
import { type AnswerFormat } from "./usage/answer-formats.ts";
import { type Identity, type SignViewerToken } from "@usage-stats/identity";
import { type RequestSize } from "./request-size.ts";

/** What verbs may reach: never a driver. */
export type Ports = {
  repository: UsageRepository;
  ranking: RankingRepository;
  callReader: CallReader;
  runReader: RunReader;
  callWriter: CallWriter;
  recordLimits: RecordLimits;
  rebuilder: Rebuilder;
  keys: ApiKeyStore;
  audit: AuditLog;
  signViewerToken: SignViewerToken;
};

/** How many calls, how old, and how far ahead of our clock one recording may hold, and the tags that they may have. */
export type RecordLimits = { maxCalls: number; oldestMs: number; aheadMs: number; tags: readonly string[] };

/** Told of a query that the cache alone did not answer, and of the format that it was answered in. */
export type OnQuery = (format: AnswerFormat<unknown>, query: UsageStatsQuery) => void;

/** One request, however it came: made once, and handed to every verb as `verb(ctx, query)`. */
export type RequestContext = {
  ports: Ports;
  /** When it came. Nothing asks a clock after that, so that all of an answer is as of one instant. */
  now: Date;
  requestId: string;
  /** This request's view of the cache; `null` where there is none. */
  cache: ResultCache | null;
  /** What its answers cost, filled in as they are made. */
  costs: DatabaseCost[];
  /** Aborts when nobody waits for the answer any more. A function, because making a signal costs more than a cached answer. */
  signal?: (() => AbortSignal) | undefined;
  onQuery?: OnQuery | undefined;
  /** How large the answers of a batch may become together; absent where a request can ask one thing only. */
  size?: RequestSize | undefined;
  /**
   * Tells who asks, once it is known that they may. `all` are the operations that the request holds, where it holds several. Throws
   * `unauthenticated`, `invalid_token`, `invalid_key`, `csrf`, `forbidden` or `rate_limited`.
   */
  admit(operation: GuardedOperation, all?: readonly string[]): Promise<Identity>;
};

/** A request of somebody who may do what it asks for. */
export type AdmittedContext = RequestContext & { identity: Identity };

/** What a verb takes that reaches only some ports, and of a request only what is named besides. */
export type Reaching<Port extends keyof Ports, Field extends keyof AdmittedContext = never> = {
  ports: Pick<Ports, Port>;
} & Pick<AdmittedContext, Field>;

/** A token that can do nothing but read one user's usage, until it expires. */
export type ViewerToken = { token: string; expiresAt: Date };
