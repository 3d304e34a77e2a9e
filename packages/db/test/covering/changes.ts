import { CALL_STATUSES, type ModelCall } from "@usage-stats/core";
import { USERS } from "../arbitrary-usage.ts";
import { type History } from "./history.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** What may happen to a call; each step is to be looked at by itself. */
type Change = (history: History, call: ModelCall) => (() => Promise<void>)[];

/** The kinds of change, by what they are called. */
export const CHANGES: Record<string, Change> = {
  none: () => [],
  "a late call": (history, call) => [
    () => history.record([{ ...call, id: `late-${call.id}`, credits: "0.00000003" }]),
  ],
  "a correction": (history, call) => [
    () =>
      history.record([
        { ...call, status: otherStatus(call), model: "o4", totalUsage: 7, credits: "2.00000001" },
      ]),
  ],
  "a void": (history, call) => [() => history.void(call)],
  "a deletion in psql": (history, call) => [() => history.inPsql(call, null)],
  "another user in psql": (history, call) => [
    () => history.inPsql(call, { userDid: USERS[(USERS.indexOf(call.userDid) + 1) % USERS.length]! }),
  ],
  "another time in psql": (history, call) => [
    () => history.inPsql(call, { callTime: new Date(call.callTime.getTime() - DAY - HOUR + 1) }),
  ],
  "processing, then its end": (history, call) => {
    const late: ModelCall = {
      ...call,
      id: `ends-${call.id}`,
      status: "processing",
      totalUsage: null,
      credits: null,
    };
    const ended: ModelCall = {
      ...late,
      status: "success",
      reasoningTokens: 3,
      totalUsage: 11,
      credits: "0.00000007",
      durationMs: 5,
    };
    return [() => history.record([late]), () => history.record([ended])];
  },
};

/** A call that has ended never is processing again. */
function otherStatus({ status }: ModelCall): ModelCall["status"] {
  return CALL_STATUSES.find((other) => other !== "processing" && other !== status)!;
}
