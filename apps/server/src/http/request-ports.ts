import {
  type CallReader,
  type CallRecorder,
  type RankingRepository,
  UsageError,
  type UsageRepository,
} from "@usage-stats/core";
import { type Context } from "hono";
import { type Shares } from "../limits/shares.ts";
import { type Turns } from "../limits/turns.ts";
import { type AppEnv } from "./request-variables.ts";

/** Whatever runs statements for those who ask. */
export type SharedPorts = {
  repository: UsageRepository;
  ranking: RankingRepository;
  callReader: CallReader;
  recorder: CallRecorder;
};

/** The ports as one request may use them, once it is admitted: in turns of its identity, and until its deadline. */
export function requestPorts(
  context: Context<AppEnv>,
  { repository, ranking, callReader, recorder, shares }: SharedPorts & { shares: Shares },
): SharedPorts {
  async function inTurn<T>(
    turns: Turns,
    signal: AbortSignal | undefined,
    task: () => Promise<T>,
  ): Promise<T> {
    const { subject } = (await context.get("identity"))!;
    try {
      return await turns.take(subject, signal ?? context.get("deadline").signal(), task);
    } catch (error) {
      if (error instanceof UsageError) context.set("retryAfterSeconds", error.retryAfterSeconds);
      throw error;
    }
  }

  return {
    repository: {
      read: (question, signal) => inTurn(shares.reports, signal, () => repository.read(question, signal)),
      readCalls: (question, parts, signal) =>
        inTurn(shares.reports, signal, () => repository.readCalls(question, parts, signal)),
    },
    ranking: {
      readRanking: (question, signal) =>
        inTurn(shares.reports, signal, () => ranking.readRanking(question, signal)),
    },
    callReader: {
      readCalls: (question, signal) =>
        inTurn(shares.lists, signal, () => callReader.readCalls(question, signal)),
    },
    recorder: {
      record(changes, options) {
        const deadline = context.get("deadline");
        const waiting = { signal: deadline.signal(), deadline: deadline.at };
        return inTurn(shares.writes, waiting.signal, () =>
          recorder.record(changes, { ...options, ...waiting }),
        );
      },
    },
  };
}
