import { type Ports } from "@usage-stats/api";
import { type Shares, turnsToRecord } from "../limits/shares.ts";
import { type Turns } from "../limits/turns.ts";
import { type BegunRequest } from "./http-request.ts";

/** The ports as one request may use them, once it is admitted: in turns of its identity, and until its deadline. */
export function portsInTurns(
  request: BegunRequest,
  { ports, shares }: { ports: Ports; shares: Shares },
): Ports {
  const { repository, ranking, callReader, runReader, callWriter } = ports;

  async function inTurn<T>(
    turns: Turns,
    signal: AbortSignal | undefined,
    task: () => Promise<T>,
  ): Promise<T> {
    const { entering, deadline } = request;
    const { subject } = await entering!;
    return turns.take(subject, signal ?? deadline.signal(), task);
  }

  return {
    ...ports,
    repository: {
      read: (query, signal) => inTurn(shares.reports, signal, () => repository.read(query, signal)),
      sumCalls: (query, parts, signal) =>
        inTurn(shares.reports, signal, () => repository.sumCalls(query, parts, signal)),
    },
    ranking: {
      readRanking: (query, signal) =>
        inTurn(shares.reports, signal, () => ranking.readRanking(query, signal)),
    },
    callReader: {
      readCalls: (query, signal) => inTurn(shares.lists, signal, () => callReader.readCalls(query, signal)),
    },
    runReader: {
      readRuns: (query, signal) => inTurn(shares.reports, signal, () => runReader.readRuns(query, signal)),
    },
    callWriter: {
      record(changes, options) {
        const { deadline } = request;
        const waiting = { signal: deadline.signal(), deadline: deadline.at };
        const turns = turnsToRecord(shares, changes, options?.atomic ?? false);
        return inTurn(turns, waiting.signal, () => callWriter.record(changes, { ...options, ...waiting }));
      },
    },
  };
}
