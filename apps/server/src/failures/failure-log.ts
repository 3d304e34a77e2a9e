import { publicError } from "@usage-stats/api";
import { databaseFailure } from "@usage-stats/db";
import { describeFailure, framesOf, inOneLine, isRefusal } from "./describe-failure.ts";

/** A request that was answered with 5xx, or whose answer broke off. */
type RequestFailure = {
  error: unknown;
  requestId: string;
  /** What was asked for, in our own words: a route or a procedure. */
  operation: string;
  /** Whether the answer had begun. */
  midway?: boolean;
};

/** Told once of every answer of 5xx that somebody still waits for, and of every one that broke off. */
export type OnFailure = (failure: RequestFailure) => void;

export type FailureLog = {
  /** Writes one line, and for what is a fault of ours the frames of its stack below it. */
  request: OnFailure;
  /** What to tell of failures of something that goes on in the background: the same one at most once a minute, and how often it was. */
  background(what: string): (error: unknown) => void;
};

const QUIET_MS = 60_000;

/** Says why what failed, and nothing that a client sent. */
export function createFailureLog(
  write: (text: string) => void,
  monotonic: () => number = () => performance.now(),
): FailureLog {
  const lines = new Map<string, { at: number; since: number }>();

  return {
    request({ error, requestId, operation, midway = false }) {
      const { status, code } = publicError(error);
      const where = midway ? `${operation}: broken off midway` : operation;
      const line = `request ${requestId}: ${status} ${code}: ${inOneLine(where)}: ${describeFailure(error)}`;
      write(withFrames(line, error));
    },
    background(what) {
      return (thrown) => {
        const error = databaseFailure(thrown);
        const line = `${what} failed: ${describeFailure(error)}`;
        const last = lines.get(line);
        if (last !== undefined && monotonic() - last.at < QUIET_MS) {
          last.since += 1;
          return;
        }
        const often =
          last === undefined || last.since === 0 ? "" : ` (and ${last.since} times since it was last told)`;
        // So many different ones that their number says enough.
        if (lines.size >= 1_000) lines.clear();
        lines.set(line, { at: monotonic(), since: 0 });
        write(withFrames(line + often, error));
      };
    },
  };
}

function withFrames(line: string, error: unknown): string {
  return isRefusal(error) ? line : [line, ...framesOf(error)].join("\n");
}
