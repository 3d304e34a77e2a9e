import { queryReader } from "../rest/query-parameters.ts";
import { conversationUsageInput, runUsageInput } from "./input.ts";

const read = { run: queryReader(runUsageInput), conversation: queryReader(conversationUsageInput) };

/** Reads which run, by its name in the path and the query string. Throws `UsageStatsError` naming the parameter. */
export function readRunUsageQuery(query: URLSearchParams, runId: string): ReturnType<typeof read.run> {
  return read.run(new URLSearchParams([...query, ["runId", runId]]));
}

/** Reads which conversation, as `readRunUsageQuery` does. */
export function readConversationUsageQuery(
  query: URLSearchParams,
  conversationId: string,
): ReturnType<typeof read.conversation> {
  return read.conversation(new URLSearchParams([...query, ["conversationId", conversationId]]));
}
