import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { createUpstashCache } from "@usage-stats/cache";
import { startUpstashBridge } from "@usage-stats/dev-services/upstash";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { logCacheEvents } from "../src/serve/log-cache-events.ts";
import { openRateLimits } from "../src/serve/open-rate-limits.ts";

const clock = { now: () => new Date() };
const CANARY = "CANARY";
const TOKEN = `${CANARY}-token`;

type Answer = (response: ServerResponse, asked: string) => void;
const answerWith = (status: number, type: string, body: (asked: string) => string): Answer => {
  return (response, asked) => void response.writeHead(status, { "content-type": type }).end(body(asked));
};

/** Ways to fail that give back what was asked, as proxies, service pages and Redis itself do. */
const FAULTS: Record<string, Answer> = {
  "resets connections": (response) => void response.socket?.resetAndDestroy(),
  "never answers": () => {},
  "refuses the token": answerWith(401, "application/json", (asked) =>
    JSON.stringify({ error: `WRONGPASS invalid or missing auth token ${asked}` }),
  ),
  "refuses what it was asked, in words of its own": answerWith(400, "application/json", (asked) =>
    JSON.stringify({ error: `${CANARY} ${asked}` }),
  ),
  "refuses it as Redis does": answerWith(400, "application/json", (asked) =>
    JSON.stringify({ error: `ERR unknown command, with args beginning with: ${asked}` }),
  ),
  "says that Redis is away": answerWith(503, "application/json", (asked) =>
    JSON.stringify({ error: `ERR Redis is not reachable ${asked}` }),
  ),
  "answers with a page": answerWith(503, "text/html", (asked) => `<!doctype html><pre>${asked}</pre>`),
  "answers well with a page": answerWith(200, "text/html", (asked) => `<!doctype html><pre>${asked}</pre>`),
  "answers JSON that is cut off": answerWith(200, "application/json", (asked) => `[{"result":[${asked}`),
  "answers an error within a list": answerWith(200, "application/json", (asked) =>
    JSON.stringify([{ error: `ERR ${asked}` }]),
  ),
  "answers something else": answerWith(200, "application/json", (asked) => JSON.stringify({ result: asked })),
};

describe.each(Object.entries(FAULTS))("an Upstash that %s", (_, fault) => {
  const server = createServer();
  let url: string;
  let failsWhen: (path: string) => boolean;
  let printed: string[];
  let bridge: Awaited<ReturnType<typeof startUpstashBridge>>;

  beforeEach(async () => {
    bridge = await startUpstashBridge({ token: TOKEN });
    failsWhen = () => false;
    server.removeAllListeners("request").on("request", (request, response) => {
      void (async () => {
        const body = await text(request);
        const path = request.url!.replace(`/${CANARY}-url`, "");
        if (failsWhen(path)) return fault(response, `${body} ${request.headers.authorization}`);
        const answer = await fetch(`${bridge.url}${path}`, {
          method: "POST",
          body,
          headers: { authorization: request.headers.authorization! },
        });
        response.writeHead(answer.status).end(await answer.text());
      })();
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/${CANARY}-url`;
    printed = [];
    for (const method of ["log", "error", "warn", "info"] as const)
      vi.spyOn(console, method).mockImplementation((...all) => void printed.push(inspect(all)));
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    await bridge.close();
  });

  it.each([
    ["at everything", () => true],
    ["at keeping an answer", (path: string) => path === "/pipeline"],
  ])("%s puts nobody's data into the log, nor into what happens in the cache", async (_where, when) => {
    const log = (line: string) => printed.push(line);
    const logEvent = logCacheEvents(log);
    const events: string[] = [];
    const cache = createUpstashCache({
      url,
      token: TOKEN,
      clock,
      ttlMs: 60_000,
      deadlineMs: 200,
      retryMs: 10_000,
      breaker: { failures: 1_000, openMs: 1 },
      onEvent(event) {
        events.push(inspect(event, { depth: null, showHidden: true }));
        logEvent(event);
      },
    });
    failsWhen = when;
    for (const n of [1, 2]) {
      const entry = { kind: "rest", userDid: `${CANARY}-user`, fields: [`${CANARY}-field`, n] };
      await cache.forRequest().remember(entry, async () => `{"${CANARY}-value":${n}}`);
      await cache.invalidate([`${CANARY}-user`]);
    }
    await cache.close();
    const limits = openRateLimits(
      {
        rateLimits: { budgets: { read: 9, write: 9, export: 9 }, address: 9, failures: 9 },
        cache: { kind: "upstash", url, token: TOKEN, deadlineMs: 200 },
      } as Parameters<typeof openRateLimits>[0],
      clock,
      { metrics: { onRateLimitFailure: () => {} }, log },
    );
    const identity = { subject: `${CANARY}-user`, keyId: null } as Parameters<
      NonNullable<typeof limits>["spend"]
    >[0];
    await limits!.spend(identity, ["usageStats"] as Parameters<NonNullable<typeof limits>["spend"]>[1]);

    expect(printed.join("\n")).toMatch(/cache: .+ failed, answering without it: .+/);
    expect(printed.join("\n")).toMatch(/rate limits: Upstash failed, counting in this process: .+/);
    expect([...printed, ...events].filter((line) => line.includes(CANARY))).toEqual([]);
  });
});
