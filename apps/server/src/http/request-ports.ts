import { type Ports } from "@usage-stats/api";
import { type Shares } from "../limits/shares.ts";
import { type Turns } from "../limits/turns.ts";
import { type HttpRequest } from "./http-request.ts";

/** The ports as one request may use them, once it is admitted: in turns of its identity, and until its deadline. */
export function portsInTurns(
  request: () => HttpRequest,
  { ports, shares }: { ports: Ports; shares: Shares },
): Ports {
  const { repository, ranking, callReader, recorder } = ports;

  async function inTurn<T>(
    turns: Turns,
    signal: AbortSignal | undefined,
    task: () => Promise<T>,
  ): Promise<T> {
    const { entering, deadline } = request();
    const { subject } = await entering!;
    return turns.take(subject, signal ?? deadline.signal(), task);
  }

  return {
    ...ports,
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
        const { deadline } = request();
        const waiting = { signal: deadline.signal(), deadline: deadline.at };
        return inTurn(shares.writes, waiting.signal, () =>
          recorder.record(changes, { ...options, ...waiting }),
        );
      },
    },
  };
}
