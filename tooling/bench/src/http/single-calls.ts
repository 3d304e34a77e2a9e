import autocannon from "autocannon";
import { nextCall } from "../ingest/next-call.ts";
import { type UsageServer } from "./usage-server.ts";

const CONNECTIONS = 64;
const SECONDS = 5;
const ROUNDS = 3;

/** How many single calls a second a gateway can send, each in a request of its own with its key, over 64 connections. */
export async function recordSingleCalls(
  server: UsageServer,
  show: (text: string) => void,
): Promise<{ perSecond: number }> {
  const headers = { ...(await server.withKey("calls:write")), "content-type": "application/json" };
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    show(`single calls over HTTP, round ${round + 1} of ${ROUNDS}`);
    const { requests, non2xx, errors } = await autocannon({
      url: `${server.url}/app/api/model-calls`,
      method: "POST",
      headers,
      connections: CONNECTIONS,
      duration: SECONDS,
      requests: [
        { setupRequest: (request) => ({ ...request, body: JSON.stringify([nextCall(new Date())]) }) },
      ],
    });
    if (non2xx + errors > 0) throw new Error(`recording: ${non2xx} refusals and ${errors} errors`);
    rates.push(requests.average);
  }
  return { perSecond: rates.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)]! };
}
