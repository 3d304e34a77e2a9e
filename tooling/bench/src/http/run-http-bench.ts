import { A_SECOND, atLeast, type Goal, PERCENT } from "../goals.ts";
import { type Progress } from "../progress.ts";
import { goalsTable } from "../goals-table.ts";
import { tableText } from "../table-text.ts";
import { statementsByCase, watchPages, type Work } from "./database-work.ts";
import { compareKeptAnswers, type Share } from "./cached-answers.ts";
import { settledDays, daysUpToNow } from "./queries.ts";
import { recordSingleCalls } from "./single-calls.ts";
import { startUsageServer } from "./usage-server.ts";

export type HttpBenchResult = {
  shares: Share[];
  statements: { name: string; first: number; next: number }[];
  pages: { name: string; with: Work; without: Work }[];
  goals: Goal[];
};

/** What the cache saves, measured over HTTP on servers as `npm start` runs them. */
export async function runHttpBench(now: Date, { show }: Progress): Promise<HttpBenchResult> {
  show("starting two servers");
  const server = await startUsageServer("on");
  const plain = await startUsageServer("off");
  try {
    const shares = await compareKeptAnswers(server, now, show);
    const statements = await statementsByCase(server, now);
    const pages: HttpBenchResult["pages"] = [];
    for (const [name, range] of [
      ["up to now", (at: Date) => daysUpToNow(at, 30)],
      ["settled", (at: Date) => settledDays(at, 30)],
    ] as const) {
      show(`a minute of 50 viewers, ${name}`);
      const [withCache, without] = await watchPages([server, plain], range);
      pages.push({ name, with: withCache!, without: without! });
    }
    const single = await recordSingleCalls(server, show);
    return { shares, statements, pages, goals: judge(shares, single) };
  } finally {
    await Promise.allSettled([server.stop(), plain.stop()]);
  }
}

/** By processor time where it is known: a load generator that cannot keep up makes a fast server look like a slower one. */
function judge(shares: Share[], single: { perSecond: number }): Goal[] {
  const wanted: Record<string, number> = { REST: 0.75, tRPC: 0.65 };
  return [
    ...shares.map(({ name, ours, prebuilt }) => {
      const share = cpuShare({ ours, prebuilt }) ?? ours.perSecond / prebuilt.perSecond;
      return atLeast(
        `cached answer by ${name}, of Hono sending the same bytes`,
        share,
        wanted[name]!,
        PERCENT,
      );
    }),
    atLeast("single calls over 64 connections, with a key", single.perSecond, 10_000, A_SECOND),
  ];
}

function cpuShare({ ours, prebuilt }: Pick<Share, "ours" | "prebuilt">): number | null {
  return ours.cpuMicros === null || prebuilt.cpuMicros === null ? null : prebuilt.cpuMicros / ours.cpuMicros;
}

/** The result for people. */
export function httpReportText({ shares, statements, pages, goals }: HttpBenchResult): string {
  const micros = (value: number | null) => value?.toFixed(1) ?? "unknown";
  return [
    tableText(
      ["cached answer", "bytes", "a second", "Hono alone", "share", "CPU us", "Hono alone", "share"],
      shares.map(({ name, bytes, ours, prebuilt }) => [
        name,
        bytes,
        Math.round(ours.perSecond),
        Math.round(prebuilt.perSecond),
        PERCENT(ours.perSecond / prebuilt.perSecond),
        micros(ours.cpuMicros),
        micros(prebuilt.cpuMicros),
        PERCENT(cpuShare({ ours, prebuilt }) ?? Number.NaN),
      ]),
    ),
    tableText(
      ["statements of a request", "first", "next"],
      statements.map(({ name, first, next }) => [name, first, next]),
    ),
    tableText(
      [
        "50 viewers of 30 days, a minute",
        "requests",
        "statements",
        "ms in them",
        "without cache",
        "ms in them",
      ],
      pages.map(({ name, with: kept, without }) => [
        name,
        kept.requests,
        kept.statements,
        Math.round(kept.durationMs),
        without.statements,
        Math.round(without.durationMs),
      ]),
    ),
    goalsTable(goals),
  ].join("\n\n");
}
