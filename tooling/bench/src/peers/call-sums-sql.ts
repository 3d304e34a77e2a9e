import { type PeerSums } from "./peer-answer.ts";

/** How each measure is added up from our calls, to fill the tables of peers. */
export const CALL_SUMS: Record<keyof PeerSums, string> = {
  calls: "count(*)",
  successCalls: "count(*) filter (where status = 'success')",
  failedCalls: "count(*) filter (where status = 'failed')",
  inputTokens: "coalesce(sum(input_tokens), 0)",
  outputTokens: "coalesce(sum(output_tokens), 0)",
  cachedInputTokens: "coalesce(sum(cached_input_tokens), 0)",
  credits: "sum(credits)",
};

/** A select list that names each measure, from what `column` says of it; as floats, which pg and JavaScript add up fastest. */
export function measureList(column: (name: keyof PeerSums) => string): string {
  return (Object.keys(CALL_SUMS) as (keyof PeerSums)[])
    .map((name) => `(${column(name)})::float8 as "${name}"`)
    .join(", ");
}
