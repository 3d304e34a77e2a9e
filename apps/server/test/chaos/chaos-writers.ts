import { setTimeout as sleep } from "node:timers/promises";
import { type CallVoidInput, type UsageClient, usageStatsErrorOf } from "@usage-stats/client";
import { type RecordAnswer } from "@usage-stats/api";
import { type DemoRandom } from "../../src/demo/demo-random.ts";
import { type Amount, type CallHistory } from "./call-history.ts";

/** Late calls are of the first two hours of the time that is read. */
const LATE_MS = 2 * 3_600_000;

type SentCall = Omit<CallVoidInput, "void" | "callTime"> & {
  callTime: string;
  providerId: string;
  model: string;
  type: "chatCompletion";
  status: "success";
  totalUsage: number;
};

/** A change to be sent, and whom to tell when it was acknowledged. */
type Change = { change: SentCall | CallVoidInput; acknowledge: (now: number) => void };

const NOTHING: Amount = { calls: 0, totalUsage: 0 };

/**
 * A gateway that records calls of its own users, new and late ones, corrects and voids some, repeats others, and sends a batch again,
 * perhaps to another server, until it is acknowledged.
 */
export async function writeUntil(
  ended: AbortSignal,
  options: {
    name: string;
    users: readonly string[];
    clients: () => readonly UsageClient[];
    random: DemoRandom;
    history: CallHistory;
    /** The first instant of calls' times. */
    from: number;
    onFailure(error: unknown): void;
  },
): Promise<{ acknowledged: number }> {
  const { name, users, random, history } = options;
  const open: SentCall[] = [];
  let made = 0;
  let acknowledged = 0;

  function sent(call: SentCall): Change {
    const amount = { calls: 1, totalUsage: call.totalUsage };
    return {
      change: { ...call },
      acknowledge: history.send(call, amount, performance.now()),
    };
  }

  function next(): Change {
    const turn = random.unit();
    const known = open[random.integer(0, Math.max(0, open.length - 1))];
    if (known !== undefined && turn < 0.2) {
      known.totalUsage = random.integer(0, 1_000);
      return sent(known);
    }
    if (known !== undefined && turn < 0.25) {
      open.splice(open.indexOf(known), 1);
      const { id, userDid, callTime } = known;
      return {
        change: { id, userDid, callTime, void: true },
        acknowledge: history.send(known, NOTHING, performance.now()),
      };
    }
    if (known !== undefined && turn < 0.3) return { change: { ...known }, acknowledge: () => {} };
    const isLate = random.unit() < 0.5;
    const call: SentCall = {
      id: `${name}-${(made += 1)}`,
      userDid: users[random.integer(0, users.length - 1)]!,
      providerId: `p${random.integer(0, 1)}`,
      model: `m${random.integer(0, 4)}`,
      type: "chatCompletion",
      status: "success",
      callTime: new Date(isLate ? options.from + random.integer(0, LATE_MS) : Date.now()).toISOString(),
      totalUsage: random.integer(0, 1_000),
    };
    open.push(call);
    return sent(call);
  }

  while (!ended.aborted) {
    const batch: Change[] = [];
    const touched = new Set<string>();
    for (let size = random.integer(1, 12); batch.length < size;) {
      const one = next();
      batch.push(one);
      // Each call once a batch, so that its next version goes out only after this one was acknowledged.
      if (touched.has(one.change.id)) break;
      touched.add(one.change.id);
    }
    await sendUntilAcknowledged(batch);
    acknowledged += batch.length;
    await sleep(random.integer(0, 10));
  }
  return { acknowledged };

  async function sendUntilAcknowledged(batch: readonly Change[]): Promise<void> {
    for (;;) {
      const clients = options.clients();
      const client = clients[random.integer(0, clients.length - 1)]!;
      let answer: RecordAnswer;
      try {
        answer = await client.modelCalls.record({ calls: batch.map(({ change }) => change) });
      } catch (error) {
        const refused = usageStatsErrorOf(error);
        if (refused !== null && refused.httpStatus < 500) throw error;
        options.onFailure(error);
        await sleep(random.integer(10, 100));
        continue;
      }
      if (answer.rejected > 0) throw new Error(`good calls were rejected: ${JSON.stringify(answer)}`);
      const now = performance.now();
      for (const { acknowledge } of batch) acknowledge(now);
      return;
    }
  }
}
