import { cachedAnswer } from "@usage-stats/api";
import { type Awaitable, orElse, type Payload, whenThere } from "@usage-stats/core";
import { type Hono } from "hono";
import { type IdentifyRequest } from "../auth/identify-request.ts";
import { type Fetch } from "../serve/http-server.ts";
import { type AnsweredRequest, type AnsweredRequests } from "./answered-requests.ts";
import { type AppEnv, type BegunRequest } from "./http-request.ts";
import { beginRequest, type RequestParts } from "./request-context.ts";
import { sendRepresentation } from "./send-representation.ts";

export type AnswerAgainParts = RequestParts & {
  identify: Pick<IdentifyRequest, "remembered">;
  answered: AnsweredRequests;
  corsOrigins: readonly string[];
};

/**
 * Answers what the cache has answered the same person before without reading it anew: no routes, no schemas, no keys. Who asks, what
 * they may spend, and whether the cached payload is still valid is asked as ever, by the same functions and once: whatever is not
 * answered here goes on in the application where it stands.
 */
export function answeringAgain(app: Hono<AppEnv>, parts: AnswerAgainParts): Fetch {
  const isPlain = ({ method, headers }: Request) =>
    method === "GET" &&
    !headers.has("trpc-accept") &&
    !(headers.get("accept")?.includes("text/csv") ?? false) &&
    (parts.corsOrigins.length === 0 || !headers.has("origin"));

  function find(request: BegunRequest, { operation, lookup }: AnsweredRequest): Awaitable<Payload | null> {
    return orElse<Payload | null>(
      () =>
        whenThere(parts.admit(request, operation), (identity) =>
          // What somebody asks means something else once they may do something else.
          identity === request.arrival.session?.identity ? cachedAnswer(request, lookup) : null,
        ),
      () => null,
    );
  }

  return (raw, env) => {
    const session = isPlain(raw) ? parts.identify.remembered(raw.headers) : undefined;
    const answered = session && parts.answered.find(session.identity, raw.url);
    if (session === undefined || answered === undefined) return app.fetch(raw, env);
    const request = beginRequest({ req: { raw }, env, session }, parts);
    return whenThere(find(request, answered), (payload) =>
      payload === null
        ? app.fetch(raw, { ...env, begun: request })
        : sendRepresentation(request, answered.represent(payload), answered.form),
    );
  };
}
