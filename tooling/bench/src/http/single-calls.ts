import autocannon from "autocannon";
import { type UsageServer } from "./usage-server.ts";

const CONNECTIONS = 64;
const SECONDS = 5;
const ROUNDS = 3;
const MS = 1_000;

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
      requests: [{ setupRequest: (request) => ({ ...request, body: nextBody() }) }],
    });
    if (non2xx + errors > 0) throw new Error(`recording: ${non2xx} refusals and ${errors} errors`);
    rates.push(requests.average);
  }
  return { perSecond: rates.toSorted((one, other) => one - other)[Math.floor(ROUNDS / 2)]! };
}

let sent = 0;

/** A call that nobody sent before, of the last seconds, by one of two hundred users. */
function nextBody(): string {
  const n = (sent += 1);
  return JSON.stringify([
    {
      id: `bench-${n}`,
      userDid: `did:abt:z1user${n % 200}`,
      appDid: `z2app${n % 5}`,
      providerId: "openai",
      model: `model-${n % 10}`,
      type: "chatCompletion",
      status: "success",
      callTime: new Date(Date.now() - (n % 5) * MS).toISOString(),
      inputTokens: n % 3_000,
      outputTokens: n % 500,
      totalUsage: (n % 3_000) + (n % 500),
      credits: "0.00012345",
      durationMs: n % 9_000,
    },
  ]);
}
