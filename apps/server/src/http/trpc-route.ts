import {
  appRouter,
  createRequestSize,
  isGuarded,
  cachedTrpcAnswers,
  MAX_BATCH_SIZE,
  type RequestContext,
} from "@usage-stats/api";
import { fetchRequestHandler } from "@trpc/server/adapters/fetch";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { joinPayloads } from "@usage-stats/cache";
import { type Payload } from "@usage-stats/core";
import { type Handler } from "hono";
import { type OnFailure } from "../failures/failure-log.ts";
import { type AnsweredRequests } from "./answered-requests.ts";
import { refuse } from "./problem.ts";
import { readJsonText } from "./read-body-text.ts";
import { type AppEnv, type HttpRequest } from "./http-request.ts";
import { joinedRepresentations, type Representations, representationsOf } from "./representations.ts";
import { sendRepresentation } from "./send-representation.ts";

export type TrpcParts = { maxIngestBytes: number; onFailure: OnFailure; answered: AnsweredRequests };

/**
 * Serves the tRPC router below `endpoint`; what is kept of its answers is sent as it is. What a request spends are the operations
 * that answer it: tRPC's own reading of the address says which they are. A body is read when the first of them takes its input,
 * and so not for strangers, nor for what is no procedure.
 */
export function trpcRoute(
  endpoint: string,
  { maxIngestBytes, onFailure, answered }: TrpcParts,
): Handler<AppEnv> {
  return async (context) => {
    const request = context.get("request");
    const { method, raw } = context.req;
    // Whoever asks for a stream is not answered with one text.
    const wantsText = method === "GET" && context.req.header("trpc-accept") === undefined;
    if (wantsText) {
      const { pathname, searchParams } = new URL(raw.url);
      const asked = { path: pathname.slice(endpoint.length + 1), query: searchParams };
      const cached = await cachedTrpcAnswers(request, asked);
      if (cached !== null) {
        const { batch, answers } = cached;
        const { operation, lookup, payload } = answers[0]!;
        if (batch && answers.length > 1)
          return sendRepresentation(request, ofBatch(answers.map((one) => one.payload)), FORM);
        const represent = batch ? ofBatchOfOne : representationsOf;
        answered.keep(await request.entering!, raw.url, { operation, lookup, represent, form: FORM });
        return sendRepresentation(request, represent(payload), FORM);
      }
    }
    const response = await fetchRequestHandler({
      endpoint,
      router: appRouter,
      maxBatchSize: MAX_BATCH_SIZE,
      req: method === "POST" ? unread(raw, maxIngestBytes) : raw,
      createContext: ({ info }): RequestContext => {
        const operations = info.calls.map(({ path }) => path);
        return {
          ...request,
          size: createRequestSize(),
          admit: (operation) => request.admit(operation, operations),
        };
      },
      onError: ({ error, path: name = "" }) => {
        const cause = error.cause ?? error;
        refuse(context, cause);
        // Whoever has left has ended the work.
        if (getHTTPStatusCodeFromError(error) < 500 || raw.signal.aborted) return;
        const operation = isGuarded(name) ? `tRPC ${name}` : "tRPC";
        onFailure({ error: cause, requestId: request.requestId, operation });
      },
    });
    return wantsText && response.status === 200 ? sendTrpcsAnswer(request, response) : response;
  };
}

const JSON_TYPE = "application/json";

/** tRPC's own answer, and its own `Vary`, in the content coding that whoever asks takes. */
async function sendTrpcsAnswer(request: HttpRequest, response: Response): Promise<Response> {
  if (response.headers.get("content-type") !== JSON_TYPE) return response;
  const representations = representationsOf({ bytes: new Uint8Array(await response.arrayBuffer()) });
  return sendRepresentation(request, representations, FORM);
}

/** As tRPC has it, and what is ours. */
const FORM = { type: JSON_TYPE, vary: "trpc-accept, accept, accept-encoding" };

function ofBatch(payloads: Payload[]): Representations {
  return joinedRepresentations(joinPayloads(payloads));
}

/** A page whose client batches asks for one answer at a time, mostly: the same again and again. */
const batchesOfOne = new WeakMap<Payload, Representations>();

function ofBatchOfOne(payload: Payload): Representations {
  let batch = batchesOfOne.get(payload);
  if (batch === undefined) batchesOfOne.set(payload, (batch = ofBatch([payload])));
  return batch;
}

/** The same request, whose body is read, and refused, once tRPC asks for its text. Whatever type it has, JSON is the only one taken. */
function unread(request: Request, maxBytes: number): Request {
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  const { url, method, signal } = request;
  return Object.assign(new Request(url, { method, headers, signal }), {
    text: () => readJsonText(request, maxBytes),
  });
}
