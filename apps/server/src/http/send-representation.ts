import { type Awaitable, whenThere } from "@usage-stats/core";
import { chooseContentCoding, refusesPlain } from "./content-coding.ts";
import { entityTag, isNotModified } from "./entity-tag.ts";
import { type BegunRequest } from "./http-request.ts";
import { type Representations } from "./representations.ts";
import { responseWith } from "./response-headers.ts";

/** What a text is, and what of a request decides which one it is: `Content-Type` and `Vary`. */
export type Form = { type: string; vary: string };

/**
 * Answers with a text in the content coding that whoever asks takes, or with 304 where they have it. Only for those who may read it: a
 * tag tells what is in a text to whoever guesses it.
 */
export function sendRepresentation(
  request: BegunRequest,
  { digest, codings, isShort, bytesIn }: Representations,
  { type, vary }: Form,
): Awaitable<Response> {
  const { headers } = request.arrival.req.raw;
  const tag = entityTag(digest);
  const negotiated = { etag: tag, vary };
  if (isNotModified(headers.get("if-none-match") ?? undefined, tag))
    return responseWith(request, 304, null, negotiated);
  const taken = headers.get("accept-encoding") ?? undefined;
  const isPlain = (isShort && !refusesPlain(taken)) || forbidsTransforming(headers);
  const coding = isPlain ? null : chooseContentCoding(taken, codings);
  const described = { "content-type": type, ...negotiated };
  const coded = coding === null ? described : { ...described, "content-encoding": coding };
  return whenThere(bytesIn(coding), (bytes) => responseWith(request, 200, bytes, coded));
}

/** `no-transform` binds those between us (RFC 9111, 5.2.1.6); whoever asks for it wants the text untouched. */
function forbidsTransforming(headers: Headers): boolean {
  return headers.get("cache-control")?.toLowerCase().includes("no-transform") === true;
}
