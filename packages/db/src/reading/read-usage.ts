import { type UsageFacts, type UsageQuestion } from "@usage-stats/core";

/** Runs one statement; a `prepared` one is planned once a connection, whatever its parameters. */
export type Execute = <Row>(sql: string, params: unknown[], how?: "prepared") => Promise<Row[]>;

/** One way of reading what a question asks for. One statement, because that is one snapshot. */
export type ReadUsage = (
  execute: Execute,
  question: UsageQuestion,
) => Promise<Omit<UsageFacts, "statements" | "durationMs">>;
