import { type UsageFacts, type UsageQuestion } from "@usage-stats/core";

/** Runs one statement. */
export type Execute = <Row>(sql: string, params: unknown[]) => Promise<Row[]>;

/** One way of reading what a question asks for. One statement, because that is one snapshot. */
export type ReadUsage = (
  execute: Execute,
  question: UsageQuestion,
) => Promise<Omit<UsageFacts, "statements" | "durationMs">>;
