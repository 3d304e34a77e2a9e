import { type AllowedQuestion, allowEveryonesUsage, allowUsage } from "./allowed-question.ts";
import { keptAnswer } from "./answer.ts";
import { type ApiContext } from "./context.ts";
import { askedOf, everyonesUsageStatsInput, usageStatsInput } from "./contract/usage-stats-input.ts";
import { type Identity } from "./identity.ts";
/**
 * The body of tRPC's response to a query whose every answer is kept, without running tRPC: what it would send, at a fraction
 * of the cost. `null` for everything else, which is for tRPC to answer, and above all to refuse.
 */
export async function keptTrpcAnswers(
  request: { path: string; query: URLSearchParams },
  context: ApiContext,
): Promise<string | null> {
  const asks = request.path.split(",").map((name) => QUERIES.get(name));
  if (asks.length > MOST_AT_ONCE || asks.includes(undefined)) return null;
  try {
    const batch = request.query.get("batch") === "1";
    const input = JSON.parse(request.query.get("input") ?? "null") as unknown;
    const identity = await context.identify();
    const answers = await Promise.all(
      asks.map(async (ask, i) => {
        const question = ask!(identity, batch ? (input as Record<number, unknown>)[i] : input);
        return question && keptAnswer(context, question);
      }),
    );
    if (answers.includes(null)) return null;
    const results = answers.map((data) => `{"result":{"data":${data}}}`);
    return batch ? `[${results.join(",")}]` : results.length === 1 ? results[0]! : null;
  } catch {
    // tRPC finds the same fault, and has the words for it.
    return null;
  }
}

const MOST_AT_ONCE = 10;

type Ask = (identity: Identity, input: unknown) => AllowedQuestion | null;

/** The queries whose answers are kept, by their tRPC path. Each checks who asks as its procedure does. */
const QUERIES = new Map<string, Ask>([
  [
    "usageStats",
    (identity, input) => {
      const { data } = usageStatsInput.safeParse(input);
      return data === undefined ? null : allowUsage(identity, askedOf(data));
    },
  ],
  [
    "admin.usageStats",
    (identity, input) => {
      const { data } = everyonesUsageStatsInput.safeParse(input);
      return data === undefined ? null : allowEveryonesUsage(identity, askedOf(data));
    },
  ],
]);
