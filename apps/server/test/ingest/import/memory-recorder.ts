import { type CallWriter, type ModelCall, type RecordOutcome } from "@usage-stats/core";

/** What Postgres does with calls, in a map; `batches` has the size of every `record`. */
export function memoryRecorder() {
  const calls = new Map<string, ModelCall>();
  const batches: number[] = [];
  let underWay = 0;
  const callWriter: CallWriter = {
    async record(batch) {
      if ((underWay += 1) > 1) throw new Error("Two batches at once: corrections may change their order.");
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      batches.push(batch.length);
      return batch.map((call) => recordOne(calls, call as ModelCall));
    },
  };
  return { callWriter, calls, batches };
}

function recordOne(calls: Map<string, ModelCall>, call: ModelCall): RecordOutcome {
  const identity = JSON.stringify([call.userDid, call.id, call.callTime]);
  const before = calls.get(identity);
  if (before !== undefined && JSON.stringify(before) === JSON.stringify(call)) return "repeated";
  calls.set(identity, call);
  return before === undefined ? "added" : "corrected";
}
