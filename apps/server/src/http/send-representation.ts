import { type Context } from "hono";
import { chooseContentCoding, refusesPlain } from "./content-coding.ts";
import { entityTag, isNotModified } from "./entity-tag.ts";
import { type AppEnv } from "./http-request.ts";
import { type Representations } from "./representations.ts";
import { responseWith } from "./response-headers.ts";

/** What a text is, and what of a request decides which one it is: `Content-Type` and `Vary`. */
export type Form = { type: string; vary: string };

/**
 * Answers with a text in the content coding that whoever asks takes, or with 304 where they have it. Only for those who may read it: a
 * tag tells what is in a text to whoever guesses it.
 */
export async function sendRepresentation(
  context: Context<AppEnv>,
  { digest, codings, isShort, bytesIn }: Representations,
  { type, vary }: Form,
): Promise<Response> {
  const request = context.get("request");
  const tag = entityTag(digest);
  const negotiated = { etag: tag, vary };
  if (isNotModified(context.req.header("if-none-match"), tag))
    return responseWith(request, 304, null, negotiated);
  const taken = context.req.header("accept-encoding");
  const isPlain = (isShort && !refusesPlain(taken)) || forbidsTransforming(context);
  const coding = isPlain ? null : chooseContentCoding(taken, codings);
  const bytes = await bytesIn(coding);
  const headers = { "content-type": type, ...negotiated };
  return responseWith(
    request,
    200,
    bytes,
    coding === null ? headers : { ...headers, "content-encoding": coding },
  );
}

/** `no-transform` binds those between us (RFC 9111, 5.2.1.6); whoever asks for it wants the text untouched. */
function forbidsTransforming(context: Context<AppEnv>): boolean {
  return context.req.header("cache-control")?.toLowerCase().includes("no-transform") === true;
}
