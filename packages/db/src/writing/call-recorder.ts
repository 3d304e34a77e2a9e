import { type MikroORM } from "@mikro-orm/postgresql";
import { type CallRecorder, type ModelCall, type RecordOutcome } from "@usage-stats/core";
import { databaseFailure } from "../database-failure.ts";
import { inTransaction } from "../transaction.ts";
import { createPartitions } from "./partitions.ts";
import { upsertModelCalls } from "./upsert-model-calls.ts";

/** Records calls in Postgres. Each `record` is one transaction: all of its calls are durable, or none is. */
export function createCallRecorder(orm: MikroORM): CallRecorder {
  const partitions = createPartitions();

  async function write(calls: ModelCall[]): Promise<RecordOutcome[]> {
    await partitions.ensure(
      orm.em.fork(),
      calls.map((call) => call.callTime),
    );
    return inTransaction(orm, { isolationLevel: "read committed" }, (transaction) =>
      upsertModelCalls(transaction, calls),
    );
  }

  return {
    async record(calls) {
      try {
        return await write(calls).catch((error: unknown) => {
          if (!isMissingPartition(error)) throw error;
          // Retention, or a person, dropped a partition that was there a moment ago.
          partitions.forget();
          return write(calls);
        });
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}

function isMissingPartition(error: unknown): boolean {
  return error instanceof Error && /no partition of relation "model_calls" found/.test(error.message);
}
