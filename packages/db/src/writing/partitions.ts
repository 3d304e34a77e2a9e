import { type Session } from "../connection/session.ts";

/** Makes monthly partitions of `model_calls` before they are needed. */
export type Partitions = {
  /** Makes the partitions that calls at these times fall into, where they are missing. Commits on its own. */
  ensure(em: Session, times: Iterable<Date>): Promise<void>;
  /** Forgets which partitions exist, after one turned out to be gone. */
  forget(): void;
};

export function createPartitions(): Partitions {
  const known = new Set<string>();
  return {
    async ensure(em, times) {
      const months = new Set(Array.from(times, monthOf)).difference(known);
      for (const month of months) {
        await em.execute("select ensure_model_calls_partition(?::timestamptz)", [`${month}-01T00:00:00Z`]);
        known.add(month);
      }
    },
    forget: () => known.clear(),
  };
}

/** Makes the partitions of this month and the `ahead` next ones, so that writers other than this server find them too. */
export async function ensurePartitionsAhead(em: Session, now: Date, ahead = 3): Promise<void> {
  const months = Array.from(
    { length: ahead + 1 },
    (_, i) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + i)),
  );
  await createPartitions().ensure(em, months);
}

function monthOf(time: Date): string {
  return time.toISOString().slice(0, 7);
}
